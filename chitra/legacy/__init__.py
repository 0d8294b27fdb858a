"""Moving the legacy photo server's library here: its SQLite database and the files on FTP, disk or S3."""
