"""The assumptions of the simulation, each with its source or marked as assumed.

Sourced figures are those of the field in 2023 (docs/fairness.md has the list).
"""

HOUR, DAY = 60, 24 * 60
"""In minutes, the unit of the simulation's clock."""

CLIENTS_A_YEAR = 6_695
"""Sourced: clients of women's shelter in a year, 2,815 of them children."""
DAYS_A_YEAR = 365

LEAVES_REGION = 0.3
"""The chance that a household asks for a place as the demo country's households do: most of them
flee their region. Chosen so that about a quarter of all clients come from another region (sourced);
all others are helped where they live."""
PLANNED_ARRIVES_AS = "urgent"
"""Nobody arrives to a planned place: those who need one come by way of an acute one, as they do
below."""

CRISIS_DAYS = 40
"""Mean stay in a crisis place; assumed, as the usual length of a crisis intake."""
FOLLOW_ON_DAYS = 259
"""Sourced: mean stay in follow-on shelter."""
FOLLOWS_ON = 0.18
"""The chance that a household needs follow-on shelter after the crisis. Assumed: what fills 1,024
places to about the planning norm of 85% (sourced), with that many clients."""
LONGEST_DAYS = 730
"""Assumed: nobody stays for more than two years in one phase."""
CLOSED_DAYS = 10
"""Assumed: mean time until a place that is out of service at the start opens again."""

DECLINED = 0.06
"""The chance that a provider declines a household. Assumed, as in `make replay`."""
SILENT = 0.03
"""The chance that a provider does not answer in time; assumed, as in `make replay`."""
CALL_MINUTES = 5
"""What ringing a provider takes that turns out to have nothing. Assumed."""

GIVES_UP_DAYS = 30
"""After how long a household that waits has found another way. Assumed."""

CAP_PERMILLE = 150
"""With caps: households from elsewhere that a region takes for want of capacity, per mille of its
places. Assumed."""
