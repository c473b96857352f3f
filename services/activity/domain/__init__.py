"""The rules of an activity's life: pure functions over frozen values. Time and ids come in as values."""
