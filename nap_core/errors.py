"""The one exception whose message is written for the person in front of the screen."""


class UserError(Exception):
    """Something the user can mend; the message is one or two sentences that say what is wrong and what to do."""
