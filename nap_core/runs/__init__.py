"""Work that takes longer than a moment: background jobs, what is pending, disk use of a study."""
