"""Background jobs, pending work of methods, disk use of a study."""
