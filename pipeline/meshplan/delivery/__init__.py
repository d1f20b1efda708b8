"""Where a result meets people: one comment on a pull request, kept up to date, and job summaries."""
