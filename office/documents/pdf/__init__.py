"""The office's documents as PDF (§10).

`registry.draw` makes a document from its value, `writer.write_documents` writes one or thousands to a PDF,
`templates` holds the texts that an office may reword, `samples` has an example of each. Nothing here reads
the database or a clock.
"""
