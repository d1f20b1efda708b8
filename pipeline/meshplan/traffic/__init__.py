"""What the mesh does with requests: routes, backends, denials, errors."""

from meshplan.traffic.ages import route_at_any_age
from meshplan.traffic.inbound import Server
from meshplan.traffic.outcome import Outcome, outcome_to_json
from meshplan.traffic.request import Request, request_of
from meshplan.traffic.route import View, admit, route, route_in, transport_of

__all__ = [
    "Outcome",
    "Request",
    "Server",
    "View",
    "admit",
    "outcome_to_json",
    "request_of",
    "route",
    "route_at_any_age",
    "route_in",
    "transport_of",
]
