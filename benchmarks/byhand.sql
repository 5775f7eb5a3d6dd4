-- The tables of the hold by hand: what the duty touches, with the indexes and constraints it needs.
CREATE TABLE tokens (
  hash bytea PRIMARY KEY, account_id uuid NOT NULL, provider_id uuid NOT NULL,
  roles text[] NOT NULL, expires_at timestamptz NOT NULL, revoked_at timestamptz);
CREATE TABLE sites (id uuid PRIMARY KEY, region text NOT NULL, revision bigint NOT NULL);
CREATE TABLE place_groups (id uuid PRIMARY KEY, site_id uuid NOT NULL REFERENCES sites);
CREATE TABLE referrals (
  id uuid PRIMARY KEY, provider_id uuid NOT NULL, status text NOT NULL, reason text NOT NULL,
  hold_id uuid UNIQUE, held_until timestamptz, version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(), updated_at timestamptz);
CREATE INDEX ON referrals (provider_id, created_at, id);
CREATE TABLE rankings (
  id uuid PRIMARY KEY, referral_id uuid NOT NULL REFERENCES referrals,
  referral_version integer NOT NULL, register_version bigint NOT NULL, as_of timestamptz NOT NULL);
CREATE INDEX ON rankings (referral_id);
CREATE TABLE holds (
  id uuid PRIMARY KEY, referral_id uuid NOT NULL REFERENCES referrals, provider_id uuid NOT NULL,
  receiver_id uuid NOT NULL, place_id uuid NOT NULL, site_id uuid NOT NULL,
  ranking_id uuid NOT NULL REFERENCES rankings, rank integer NOT NULL, status text NOT NULL,
  expires_at timestamptz NOT NULL, renewals_left integer NOT NULL, resolved_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE INDEX ON holds (referral_id) WHERE status = 'declined';
CREATE UNIQUE INDEX ON holds (place_id) WHERE resolved_at IS NULL;
CREATE UNIQUE INDEX ON holds (referral_id) WHERE resolved_at IS NULL;
CREATE INDEX ON holds (provider_id, created_at, id);
CREATE INDEX ON holds (receiver_id, created_at, id);
CREATE TABLE claims (
  place_id uuid PRIMARY KEY, group_id uuid NOT NULL REFERENCES place_groups,
  hold_id uuid UNIQUE REFERENCES holds DEFERRABLE INITIALLY DEFERRED,
  claimed_until timestamptz NOT NULL, since timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE INDEX ON claims (group_id, claimed_until);
CREATE TABLE answers (
  account_id uuid, route text, key text, fingerprint bytea NOT NULL, status integer NOT NULL,
  sealed bytea NOT NULL, made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (account_id, route, key));
CREATE INDEX ON answers (made_at);
CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text NOT NULL, subject text NOT NULL,
  audience uuid[], at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE access_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, action text NOT NULL, account_id uuid,
  provider_id uuid, object_id uuid, source text, request_id text, referral_id uuid,
  at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE INDEX ON access_log (account_id, at);
CREATE INDEX ON access_log (object_id);
CREATE INDEX ON access_log (referral_id);

-- Who bears a token; the tenant is set until the transaction ends.
CREATE FUNCTION enter(of_hash bytea) RETURNS TABLE (account uuid, provider uuid, granted text[])
LANGUAGE plpgsql AS $$
BEGIN
  SELECT t.account_id, t.provider_id, t.roles INTO account, provider, granted FROM tokens AS t
  WHERE t.hash = of_hash AND t.revoked_at IS NULL AND t.expires_at > clock_timestamp();
  IF FOUND THEN
    PERFORM set_config('hand.account', account::text, true),
            set_config('hand.provider', provider::text, true);
    RETURN NEXT;
  END IF;
END $$;
