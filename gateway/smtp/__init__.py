"""SMTP on the wire: the server's and the client's half."""
