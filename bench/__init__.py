"""How fast the gateway is, and where its time goes: `python -m bench [NAME…]` (docs/performance.md)."""
