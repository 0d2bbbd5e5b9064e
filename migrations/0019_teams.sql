-- Invitations: into a team, or to the platform alone.
create table invitations (
    id uuid primary key,
    -- Null: to the platform, without a team.
    team_id uuid references teams on delete cascade,
    -- Lower-cased; only an account of this address accepts.
    email text not null,
    -- Null without a team.
    role text check (role in ('owner', 'admin', 'developer', 'viewer')),
    -- SHA-256 of what stands in the link that the inviter is shown once.
    link_hash bytea not null unique,
    -- SHA-256 of what stands in the link that is mailed: who comes with it has read mail at this address.
    mail_hash bytea not null unique,
    -- The mailed one, sealed with the master key, to be sent again; null once it is good for nothing.
    mail_sealed bytea,
    invited_by uuid references users on delete set null,
    created_at timestamptz not null default now(),
    sent_at timestamptz not null default now(),
    expires_at timestamptz not null,
    accepted_at timestamptz,
    accepted_by uuid references users on delete set null,
    withdrawn_at timestamptz,
    constraint invitations_role_in_a_team check ((team_id is null) = (role is null))
);
create index invitations_team on invitations (team_id, id desc);
-- One at a time for each address.
create unique index invitations_open_key
    on invitations (coalesce(team_id, '00000000-0000-0000-0000-000000000000'::uuid), email)
    where accepted_at is null and withdrawn_at is null;

-- The team whose names a site was made under, for life: they stand in the names of its containers, networks, volumes
-- and images, in their labels and in its folder, none of which follows it into another team. That team may be gone.
alter table sites add column home_team_id uuid, add column home_slug text;
update sites s set home_team_id = s.team_id, home_slug = t.slug from teams t where t.id = s.team_id;
alter table sites alter column home_team_id set not null, alter column home_slug set not null;

-- What belongs to a site belongs to the site's team. A site that goes into another team takes all of it along, and
-- nothing can be added meanwhile under the team before.
alter table sites add constraint sites_team_key unique (id, team_id);
alter table environments add constraint environments_team_key unique (id, team_id),
    add constraint environments_team_fkey
        foreign key (site_id, team_id) references sites (id, team_id) on update cascade on delete cascade;
alter table deployments add constraint deployments_team_key unique (id, team_id),
    add constraint deployments_team_fkey
        foreign key (site_id, team_id) references sites (id, team_id) on update cascade on delete cascade;
alter table releases add constraint releases_team_fkey
    foreign key (environment_id, team_id) references environments (id, team_id) on update cascade on delete cascade;
alter table variable_sets add constraint variable_sets_team_fkey
    foreign key (environment_id, team_id) references environments (id, team_id) on update cascade on delete cascade;
alter table release_watches add constraint release_watches_team_fkey
    foreign key (deployment_id, team_id) references deployments (id, team_id) on update cascade on delete cascade;
alter table deliveries add constraint deliveries_team_fkey
    foreign key (site_id, team_id) references sites (id, team_id) on update cascade on delete cascade;
alter table pushes_under_way add constraint pushes_under_way_team_fkey
    foreign key (site_id, team_id) references sites (id, team_id) on update cascade on delete cascade;
alter table deploy_keys add constraint deploy_keys_team_fkey
    foreign key (site_id, team_id) references sites (id, team_id) on update cascade on delete cascade;
alter table api_tokens add constraint api_tokens_team_fkey
    foreign key (site_id, team_id) references sites (id, team_id) on update cascade on delete cascade;
alter table pull_requests add constraint pull_requests_team_fkey
    foreign key (site_id, team_id) references sites (id, team_id) on update cascade on delete cascade;
alter table preview_variables add constraint preview_variables_team_fkey
    foreign key (site_id, team_id) references sites (id, team_id) on update cascade on delete cascade;
alter table forge_reports add constraint forge_reports_team_fkey
    foreign key (site_id, team_id) references sites (id, team_id) on update cascade on delete cascade;
alter table github_comments add constraint github_comments_team_fkey
    foreign key (site_id, team_id) references sites (id, team_id) on update cascade on delete cascade;
alter table domains add constraint domains_team_fkey
    foreign key (site_id, team_id) references sites (id, team_id) on update cascade on delete cascade;
