"""The terminal UI: a client of the admin socket for people. It knows the gateway only by `gateway.client`."""
