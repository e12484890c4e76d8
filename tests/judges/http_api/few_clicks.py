"""A hook of Schemathesis: where all things are to be found, look with few clicks, to save time."""

import schemathesis

NUM_CLICKS = 2  # along a side; as good as any other number that is allowed
MOST = 64


@schemathesis.hook
def before_call(context, case, kwargs):
    """Change what is allowed anyway; what is not allowed is sent as it is."""
    if not case.path.endswith("/everything") or not isinstance(case.body, dict):
        return
    number = case.body.get("points_per_side", MOST)
    if type(number) is int and NUM_CLICKS < number <= MOST:
        case.body["points_per_side"] = NUM_CLICKS
