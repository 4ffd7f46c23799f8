"""Studies: a model, an ID dataset and OOD datasets; published benchmarks; which OOD datasets are near and which far."""
