"""Process maps: the events of cases in topics `process.NAME`, and the figures that are folded from them."""
