"""Document types: what a document can be."""
