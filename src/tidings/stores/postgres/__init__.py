"""PostgreSQL: logs in tables of one database, which any number of processes on any number of machines share."""
