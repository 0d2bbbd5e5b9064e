//! What holds for repositories over SSH, with OpenSSH's own server.

use super::{sshd::Sshd, *};
use crate::{
    deploy_keys::{self, NewKey},
    redact::Redactor,
    secrets::EnvironmentSecrets,
};
use model::views::DeployKeyView;
use secrecy::ExposeSecret;

/// A team with access to nothing yet, and a server with a repository.
struct Team {
    world: World,
    sshd: Sshd,
}

impl Team {
    async fn new(pool: PgPool) -> Self {
        let mut world = World::new(pool).await;
        world.platform.settings.allow_private_repositories = true;
        Self { world, sshd: Sshd::start().await.0 }
    }

    async fn create(&self, name: &str) -> Result<SiteView> {
        let url = self.sshd.url().to_string();
        let source = NewSource::Git { url, branch: None, token: None, accept_host_key: None };
        let new = NewSite { team_id: None, name: name.into(), slug: None, source };
        Ok(create(&self.world.platform, &self.world.actor, new).await?.site)
    }

    async fn key(&self) -> Result<DeployKeyView> {
        let new = NewKey { url: self.sshd.url().to_string(), team_id: None };
        deploy_keys::create(&self.world.platform, &self.world.actor, new).await
    }

    /// A site whose key is let in.
    async fn with_site(pool: PgPool) -> (Self, SiteId) {
        let team = Self::new(pool).await;
        team.sshd.authorize(&team.key().await.unwrap().public_key);
        let site = team.create("Over SSH").await.unwrap().id;
        (team, site)
    }

    async fn set(&self, site: SiteId, new: NewRepository) -> Result<SiteView> {
        let wanted = Change { repository: Some(new), ..Change::default() };
        change(&self.world.platform, &self.world.actor, site, wanted).await
    }

    async fn own_key(&self, site: SiteId) -> Option<DeployKeyView> {
        get(&self.world.platform, &self.world.actor, site).await.unwrap().repository.deploy_key
    }
}

/// The code of what was refused, and the key that came with it.
fn refused_with_key<T: std::fmt::Debug>(result: Result<T>) -> (String, DeployKeyView) {
    let problem = problem(result);
    assert_eq!(problem.status, 422, "{problem:?}");
    (problem.errors[0].code.clone(), *problem.deploy_key.unwrap())
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_site_is_made_once_its_key_was_added_at_the_forge(pool: PgPool) {
    let team = Team::new(pool).await;
    let (code, key) = refused_with_key(team.create("Over SSH").await);
    assert_eq!(code, "deploy_key_needed");
    assert!(key.public_key.starts_with("ssh-ed25519 AAAA") && key.public_key.ends_with(" webmeteor:ada"), "{key:?}");
    assert_eq!(key.host_key, team.sshd.host_key().fingerprint());
    assert_eq!(team.key().await.unwrap(), key, "the same until it is used");
    let (code, again) = refused_with_key(team.create("Over SSH").await);
    assert_eq!(code, "deploy_key_refused");
    assert_eq!(again.fingerprint, key.fingerprint);
    assert!(again.public_key.ends_with(" webmeteor:ada/over-ssh"), "{again:?}");

    team.sshd.authorize(&key.public_key);
    let site = team.create("Over SSH").await.unwrap();
    let own = site.repository.deploy_key.unwrap();
    assert_eq!((own.fingerprint, own.expires_at), (key.fingerprint.clone(), None));
    assert_eq!(site.repository.clone_url, team.sshd.url().to_string());
    assert_ne!(team.key().await.unwrap().fingerprint, key.fingerprint, "another site's is another key");
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_private_half_is_sealed_and_cut_out_of_logs(pool: PgPool) {
    let (team, site) = Team::with_site(pool).await;
    let World { platform, actor, .. } = &team.world;
    let mut conn = platform.pool.acquire().await.unwrap();
    let row = access::site(&mut conn, actor, site).await.unwrap();
    let key = deploy_keys::of_site(platform, &row).unwrap().unwrap();
    let private = key.access.private_key.expose_secret();
    let line = private.lines().find(|line| !line.starts_with("-----") && line.len() > 40).unwrap();
    let sealed = row.deploy_key_private.as_deref().unwrap();
    assert!(!sealed.windows(16).any(|part| part == &private.as_bytes()[40..56]));
    let stored: String =
        sqlx::query_scalar("select string_agg(k::text, ' ') from deploy_keys k").fetch_one(&mut *conn).await.unwrap();
    assert!(!stored.contains(line) && !stored.contains(&hex::encode(line)));

    let environment = access::environment(&mut conn, &row, "production").await.unwrap();
    let secrets = EnvironmentSecrets::open(platform, &mut conn, &environment, 0).await.unwrap();
    let redactor = Redactor::for_site(platform, &row, &secrets).unwrap();
    assert!(!redactor.redact(&format!("x {line} y")).contains(line));
    assert!(!format!("{key:?}").contains(line));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_new_key_takes_the_old_ones_place_once_it_opened_the_repository(pool: PgPool) {
    let (team, site) = Team::with_site(pool).await;
    let old = team.own_key(site).await.unwrap();
    let new_key = || NewRepository { new_deploy_key: true, ..NewRepository::default() };
    let (code, new) = refused_with_key(team.set(site, new_key()).await);
    assert_eq!(code, "deploy_key_needed");
    assert_ne!(new.fingerprint, old.fingerprint);
    assert_eq!(refused_with_key(team.set(site, new_key()).await).0, "deploy_key_refused");
    assert!(team.set(site, NewRepository::default()).await.is_ok(), "the old one works");
    assert_eq!(team.own_key(site).await.unwrap().fingerprint, old.fingerprint);

    team.sshd.authorize(&new.public_key);
    assert_eq!(refused_with_key(team.set(site, NewRepository::default()).await).0, "deploy_key_refused");
    team.set(site, new_key()).await.unwrap();
    assert_eq!(team.own_key(site).await.unwrap().fingerprint, new.fingerprint);
    assert!(team.set(site, NewRepository::default()).await.is_ok());
    let kept: i64 =
        sqlx::query_scalar("select count(*) from deploy_keys").fetch_one(&team.world.platform.pool).await.unwrap();
    assert_eq!(kept, 1, "the old one is forgotten");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_server_with_another_key_is_asked_again_only_if_a_person_accepts_it(pool: PgPool) {
    let (mut team, site) = Team::with_site(pool).await;
    let old = team.sshd.host_key().fingerprint();
    let new = team.sshd.new_host_key().fingerprint();
    let changed = problem(team.set(site, NewRepository::default()).await);
    assert_eq!(changed.errors[0].code, "host_key_changed");
    assert!(changed.detail.contains(&old) && changed.detail.contains(&new), "{changed}");
    assert_eq!(changed.deploy_key.unwrap().offered_host_key.as_ref(), Some(&new));
    let accept = |key: &str| NewRepository { accept_host_key: Some(key.into()), ..NewRepository::default() };
    let wrong = refused(team.set(site, accept(&old)).await);
    assert_eq!(wrong, is("repository.accept_host_key", "host_key_changed"));
    assert_eq!(team.own_key(site).await.unwrap().host_key, old);
    team.set(site, accept(&new)).await.unwrap();
    assert_eq!(team.own_key(site).await.unwrap().host_key, new);
    assert!(team.set(site, NewRepository::default()).await.is_ok());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_site_moves_between_a_token_over_https_and_a_key_over_ssh(pool: PgPool) {
    let (team, site) = Team::with_site(pool).await;
    let forge = super::Forge::start(&["main"], Some(TOKEN)).await;
    let over_https = NewRepository { token: Token::Set(TOKEN.into()), ..url(forge.url()) };
    let shown = team.set(site, over_https).await.unwrap().repository;
    assert!(shown.has_token && shown.deploy_key.is_none(), "{shown:?}");

    let over_ssh = || url(team.sshd.url().to_string());
    let with_token = NewRepository { token: Token::Set(TOKEN.into()), ..over_ssh() };
    assert_eq!(refused(team.set(site, with_token).await), is("repository.token", "token_over_ssh"));
    let (code, key) = refused_with_key(team.set(site, over_ssh()).await);
    assert_eq!(code, "deploy_key_needed");
    team.sshd.authorize(&key.public_key);
    let shown = team.set(site, over_ssh()).await.unwrap().repository;
    assert!(!shown.has_token, "{shown:?}");
    assert_eq!(shown.deploy_key.unwrap().fingerprint, key.fingerprint);
}

#[sqlx::test(migrations = "../../migrations")]
async fn who_may_not_change_sites_makes_no_key_and_sees_none(pool: PgPool) {
    let (mut team, site) = Team::with_site(pool).await;
    let id = team.world.team;
    for (role, status) in [(Some(Role::Viewer), 403), (None, 404)] {
        let memberships: Vec<_> = role.map(|role| (id, role)).into_iter().collect();
        team.world.actor = Actor { memberships, ..team.world.actor.clone() };
        let World { platform, actor, .. } = &team.world;
        let new = NewKey { url: "git@example.org:a/b".into(), team_id: Some(id) };
        assert_eq!(problem(deploy_keys::create(platform, actor, new).await).status, status);
        let new = NewRepository { new_deploy_key: true, ..NewRepository::default() };
        assert_eq!(problem(team.set(site, new).await).status, status);
        if role.is_some() {
            assert_eq!(team.own_key(site).await, None);
        }
    }
    let kept: i64 =
        sqlx::query_scalar("select count(*) from deploy_keys").fetch_one(&team.world.platform.pool).await.unwrap();
    assert_eq!(kept, 1, "no other was made");
}

#[sqlx::test(migrations = "../../migrations")]
async fn no_key_is_made_for_what_cannot_be_fetched(pool: PgPool) {
    let mut team = Team::new(pool).await;
    let key = async |team: &Team, url: &str| {
        let new = NewKey { url: url.into(), team_id: None };
        let refused = problem(deploy_keys::create(&team.world.platform, &team.world.actor, new).await);
        (refused.errors[0].field.clone(), refused.errors[0].code.clone())
    };
    assert_eq!(key(&team, "https://example.org/a/b").await, is("url", "repository_url"));
    assert_eq!(key(&team, "git@-oProxyCommand=x:a").await, is("url", "repository_url"));
    assert_eq!(key(&team, "git@no-such-host.invalid:a/b").await, is("url", "fetch_failed"));
    team.world.platform.settings.allow_private_repositories = false;
    for host in ["127.0.0.1", "localhost", "127.1", "[::1]"] {
        let url = team.sshd.url_at(host);
        assert_eq!(key(&team, url.as_str()).await, is("url", "fetch_failed"), "{url}");
    }
    let kept: i64 =
        sqlx::query_scalar("select count(*) from deploy_keys").fetch_one(&team.world.platform.pool).await.unwrap();
    assert_eq!(kept, 0);
}
