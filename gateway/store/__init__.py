"""The store: one database, its verbs and its writer."""
