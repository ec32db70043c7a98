"""Lists of recipients as spreadsheets: read with our own pull reader, checked row by row, written by openpyxl.

    file ─▶ package (.xlsx) or csvfile ─▶ rows of cells ─▶ cells, headings ─▶ listing: rows, findings

What reads runs in workers only (`gateway.jobs`); `model` is what the gateway itself knows of it. The rules, one by one,
stand in docs/excel.md.
"""
