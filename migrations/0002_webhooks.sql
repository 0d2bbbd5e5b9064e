-- A webhook without a site's id names the repository: the sites are found by its address, which comes unasked and
-- before any signature is checked, so the look-up must be cheap.
create index sites_repository on sites ((regexp_replace(lower(source #>> '{git,url}'), '(\.git)?/*$', '')));
