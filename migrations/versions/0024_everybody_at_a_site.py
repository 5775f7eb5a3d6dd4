"""Acts for everybody at a site that see everybody there, also the households that are shielded from who acts.

Row-level security says what a coordinator may learn, never who is there: a site that moves, or is compromised, concerns
households of the own desk that only named colleagues see. What has to be looked at comes out of these functions, and
what becomes of it is written by them; they answer coordinators of the provider that owns the site, and the operator.
"""

# ruff: noqa: S608 - every statement is made of the constants here

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

# Nothing that a caller makes stands before what is meant: temporary tables are looked through last.
AS_OWNER = "LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp"

# Also one that was said not to have come, until somebody has made sure that they are safe: they may come yet.
THERE_BEFORE = "p.status IN ('underway', 'arrived')"
THERE = f"({THERE_BEFORE} OR (p.status = 'no_show' AND p.safety_checked_at IS NULL))"

# The operator, who takes in files for all, works for no provider: to say so is not enough, the connection must be one
# of the owner's.
OWNS_SITE = f"""
CREATE FUNCTION owns_site(of_site uuid, as_actor text) RETURNS boolean {AS_OWNER} STABLE AS $$
BEGIN
  RETURN EXISTS (
    SELECT FROM public.sites AS s
    WHERE s.id = of_site
      AND ((s.provider_id = public.my_provider() AND public.i_am('coordinator'))
           OR (as_actor = 'operator' AND pg_has_role(session_user, current_user, 'MEMBER'))));
END $$
"""

# The newest referral first, as for a household that moves on from one place here to another: whoever acts on one of
# them meanwhile is waited for, and what they did is seen by what is read after.
LOCK_EVERYBODY = f"""
CREATE FUNCTION lock_everybody_at(of_site uuid) RETURNS void {AS_OWNER} AS $$
BEGIN
  PERFORM FROM public.referrals AS r
  WHERE r.id IN (SELECT h.referral_id FROM public.holds AS h
                 WHERE h.site_id = of_site AND h.resolved_at IS NULL AND h.expires_at > clock_timestamp()
                 UNION ALL SELECT p.referral_id FROM public.placements AS p
                 WHERE p.site_id = of_site AND {THERE})
  ORDER BY r.created_at DESC, r.id FOR UPDATE;
END $$
"""

# What is known of them comes out sealed, with its wrapped key: the application alone can compare it with the danger.
EVERYBODY_AT = f"""
CREATE FUNCTION everybody_at(of_site uuid) RETURNS TABLE (
  life uuid, place uuid, unsafe boolean, hidden boolean, referral uuid, urgency text, reason text, origin text,
  key bytea, sealed bytea
) {AS_OWNER} AS $$
DECLARE before text := public.acting();
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  IF public.owns_site(of_site, before) THEN
    PERFORM public.lock_everybody_at(of_site);
    RETURN QUERY
    SELECT l.id, l.place_id, l.unsafe_since IS NOT NULL,
           r.provider_id IS NOT DISTINCT FROM public.my_provider() AND NOT public.unshielded(r.id),
           r.id, r.urgency, r.reason, r.origin, x.key, x.sealed
    FROM (SELECT h.id, h.place_id, h.unsafe_since, h.referral_id FROM public.holds AS h
          WHERE h.site_id = of_site AND h.resolved_at IS NULL AND h.expires_at > clock_timestamp()
          UNION ALL SELECT p.id, p.place_id, p.unsafe_since, p.referral_id FROM public.placements AS p
          WHERE p.site_id = of_site AND {THERE}) AS l
    JOIN public.referrals AS r ON r.id = l.referral_id
    JOIN public.referral_secrets AS x ON x.referral_id = r.id
    ORDER BY l.id;
  END IF;
  PERFORM set_config('plek.actor', before, true);
END $$
"""

# Both providers hear that they should look, and of the danger only that it is.
MARK_UNSAFE = f"""
CREATE FUNCTION mark_unsafe(of_site uuid, of_life uuid, now_unsafe boolean) RETURNS void {AS_OWNER} AS $$
DECLARE
  before text := public.acting();
  since timestamptz := CASE WHEN now_unsafe THEN clock_timestamp() END;
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  IF public.owns_site(of_site, before) THEN
    WITH hold AS (
      UPDATE public.holds AS h SET unsafe_since = since
      WHERE h.id = of_life AND h.site_id = of_site AND h.resolved_at IS NULL
      RETURNING h.id, h.provider_id, h.receiver_id
    ), placement AS (
      UPDATE public.placements AS p SET unsafe_since = since
      WHERE p.id = of_life AND p.site_id = of_site AND {THERE}
      RETURNING p.id, p.provider_id, p.receiver_id
    )
    INSERT INTO public.outbox (kind, subject, audience)
    SELECT 'alarm', l.id::text, ARRAY[l.provider_id, l.receiver_id]
    FROM (TABLE hold UNION ALL TABLE placement) AS l;
  END IF;
  PERFORM set_config('plek.actor', before, true);
END $$
"""

# As store/transitions.py resolves one hold: its claim while it is still its, then the referral, then the hold. What is
# kept for a swap ends with that, and is left alone here.
TURN_AWAY = f"""
CREATE FUNCTION turn_away(of_site uuid, because text) RETURNS integer {AS_OWNER} AS $$
DECLARE
  before text := public.acting();
  held record;
  turned integer := 0;
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  IF public.owns_site(of_site, before) THEN
    PERFORM public.lock_everybody_at(of_site);
    FOR held IN SELECT h.id, h.provider_id, h.receiver_id FROM public.holds AS h
                WHERE h.site_id = of_site AND h.resolved_at IS NULL AND h.swap_id IS NULL ORDER BY h.id
    LOOP
      UPDATE public.claims SET kind = NULL, hold_id = NULL, placement_id = NULL, claimed_until = '-infinity',
                               reason = NULL, since = clock_timestamp()
      WHERE hold_id = held.id AND claimed_until > clock_timestamp();
      CONTINUE WHEN NOT FOUND;
      UPDATE public.referrals SET status = 'open', hold_id = NULL, held_until = NULL, updated_at = clock_timestamp()
      WHERE hold_id = held.id;
      UPDATE public.holds SET status = 'declined', reason = because, resolved_at = clock_timestamp()
      WHERE id = held.id AND resolved_at IS NULL;
      INSERT INTO public.outbox (kind, subject, audience)
      VALUES ('hold', held.id::text, ARRAY[held.provider_id, held.receiver_id]);
      turned := turned + 1;
    END LOOP;
    INSERT INTO public.outbox (kind, subject, audience)
    SELECT 'availability', m.region, ARRAY[s.provider_id]
    FROM public.sites AS s JOIN public.municipalities AS m ON m.code = s.municipality
    WHERE s.id = of_site AND turned > 0;
  END IF;
  PERFORM set_config('plek.actor', before, true);
  RETURN turned;
END $$
"""

# As 0012 has it, but for that.
RAISE_ALARM = """
CREATE OR REPLACE FUNCTION raise_alarm(of_site uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE before text := acting();
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  INSERT INTO outbox (kind, subject, audience)
  SELECT 'alarm', c.id::text, ARRAY[c.provider_id, c.receiver_id]
  FROM (SELECT p.id, p.provider_id, p.receiver_id, p.site_id FROM placements AS p WHERE {there}
        UNION ALL SELECT id, provider_id, receiver_id, site_id FROM holds
        WHERE resolved_at IS NULL AND expires_at > clock_timestamp()) AS c
  JOIN sites AS s ON s.id = c.site_id
  WHERE s.id = of_site AND s.provider_id = my_provider();
  PERFORM set_config('plek.actor', before, true);
END $$
"""

# Those that the others ask are nobody's to call.
WITHIN = (("owns_site(uuid, text)", OWNS_SITE), ("lock_everybody_at(uuid)", LOCK_EVERYBODY))
CALLED = (
    ("everybody_at(uuid)", EVERYBODY_AT),
    ("mark_unsafe(uuid, uuid, boolean)", MARK_UNSAFE),
    ("turn_away(uuid, text)", TURN_AWAY),
)


def upgrade() -> None:
    """Make the functions."""
    op.execute(RAISE_ALARM.format(there=THERE))
    for name, function in (*WITHIN, *CALLED):
        op.execute(function)
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
    for name, _function in CALLED:
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO plek_app")


def downgrade() -> None:
    """Take them away; these acts would reach only those whom their callers see."""
    for name, _function in reversed((*WITHIN, *CALLED)):
        op.execute(f"DROP FUNCTION {name}")
    op.execute(RAISE_ALARM.format(there=THERE_BEFORE))
