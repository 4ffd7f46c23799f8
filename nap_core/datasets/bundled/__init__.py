"""The datasets that the project ships: contact sheets of small images, sample photographs, noise."""
