"""Dead letters as people handle them: read, shown, put back, or given up."""
