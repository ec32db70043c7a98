"""What a person may do, one file per noun: every check, every right and every audit row of the door for people.

The functions take the running gateway, the caller and plain values, and give plain values, ready for JSON. They raise
`Refused` (with the field), `NotFound`, `Forbidden`, `Conflict` or `Temporary`; `gateway.api` says it in HTTP.
"""
