"""What the pages share: the study, the way a picture is shown, the galleries."""
