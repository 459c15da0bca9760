"""Tables in and out: imports from CSV and XLSX, exports of every table."""
