"""Makes Remit's catalogue of AWS from public models. See docs/catalogue.md."""
