-- Conditions on the state of a row, each under one name.

-- A hold keeps its place until it is resolved or runs out, noted or not.
CREATE OR REPLACE FUNCTION hold_live(
  resolved_at timestamptz, expires_at timestamptz, at timestamptz
) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN resolved_at IS NULL AND expires_at > at;

-- The household is there, or on its way.
CREATE OR REPLACE FUNCTION placement_live(status text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN status IN ('underway', 'arrived');

-- The household is there or may still come: after a no-show too, until its safety was checked.
CREATE OR REPLACE FUNCTION placement_coming(
  status text, safety_checked_at timestamptz
) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN placement_live(status) OR (status = 'no_show' AND safety_checked_at IS NULL);

-- Nothing more is to be done for a referral, so that its content may go.
CREATE OR REPLACE FUNCTION referral_over(status text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN status IN ('ended', 'withdrawn');

-- A proposed swap that has run out binds nobody, noted or not.
CREATE OR REPLACE FUNCTION swap_lapsed(
  status text, expires_at timestamptz, at timestamptz
) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN status = 'proposed' AND expires_at <= at;

CREATE OR REPLACE FUNCTION cap_in_force(
  withdrawn_at timestamptz, begins_at timestamptz, ends_at timestamptz, at timestamptz
) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN withdrawn_at IS NULL AND begins_at <= at AND ends_at > at;

CREATE OR REPLACE FUNCTION token_valid(
  revoked_at timestamptz, expires_at timestamptz, at timestamptz
) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN revoked_at IS NULL AND expires_at > at;

-- An account of the demo is let in only where the caller says so.
CREATE OR REPLACE FUNCTION account_admitted(
  disabled_at timestamptz, demo boolean, admits_demo boolean
) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN disabled_at IS NULL AND (admits_demo OR NOT demo);
