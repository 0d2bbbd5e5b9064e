//! Who may read which part of the audit, and what the filters find.

use super::*;
use crate::{
    Platform, Signup, accounts, api_tokens,
    api_tokens::NewToken,
    testing::{platform, problem, registration},
};
use model::{
    Role, UserId,
    views::{AuditFilter, AuditView, Page},
};
use serde_json::json;
use sqlx::PgPool;

struct House {
    platform: Platform,
    team: TeamId,
    /// Owner.
    ada: Actor,
}

impl House {
    async fn new(pool: PgPool) -> Self {
        let platform = platform(pool, Signup::Open);
        let made = accounts::register(&platform, registration("Ada")).await.unwrap();
        let ada = actor(&platform, made.user.id).await;
        Self { platform, team: made.team.id, ada }
    }

    /// A member of Ada's team.
    async fn member(&self, name: &str, role: Role) -> Actor {
        let made = accounts::register(&self.platform, registration(name)).await.unwrap();
        let mut conn = self.platform.pool.acquire().await.unwrap();
        store::teams::set_member(&mut conn, self.team, made.user.id, role).await.unwrap();
        actor(&self.platform, made.user.id).await
    }

    async fn note(&self, actor: &Actor, action: &str, name: &str) {
        let mut conn = self.platform.pool.acquire().await.unwrap();
        let entry = Entry::new(action, "7", name).of(self.team).change(json!({"name": "Old"}), json!({"name": name}));
        record(&mut conn, actor, entry).await.unwrap();
    }

    async fn list(&self, actor: &Actor, whose: Whose, filter: AuditFilter) -> Result<Page<AuditView>> {
        list(&self.platform, actor, whose, filter, 50, None).await
    }

    async fn names(&self, actor: &Actor, whose: Whose, filter: AuditFilter) -> Vec<String> {
        let page = self.list(actor, whose, filter).await.unwrap();
        page.items.into_iter().filter(|it| it.target.kind == "site").map(|it| it.target.name).collect()
    }

    async fn token(&self, scopes: &[&str], site: Option<model::SiteId>) -> Actor {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let new = NewToken { name: "Reader".into(), scopes, site_id: site, ..NewToken::default() };
        let made = api_tokens::create(&self.platform, &self.ada, new).await.unwrap();
        api_tokens::actor(&self.platform, &made.token).await.unwrap().unwrap()
    }
}

async fn actor(platform: &Platform, user: UserId) -> Actor {
    accounts::actor(platform, user).await.unwrap().unwrap()
}

fn only(field: &str, value: &str) -> AuditFilter {
    let mut filter = AuditFilter::default();
    let place = match field {
        "actor" => &mut filter.actor,
        "action" => &mut filter.action,
        "target" => &mut filter.target,
        "from" => &mut filter.from,
        _ => &mut filter.until,
    };
    *place = Some(value.to_owned());
    filter
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_teams_audit_is_for_its_owner_and_its_administrators(pool: PgPool) {
    let house = House::new(pool).await;
    let team = Whose::Team(house.team);
    house.note(&house.ada, "site.create", "Shop").await;
    let stranger = accounts::register(&house.platform, registration("Eve")).await.unwrap().user.id;
    let stranger = actor(&house.platform, stranger).await;
    assert_eq!(problem(house.list(&stranger, team, AuditFilter::default()).await).status, 404);
    for (name, role) in [("Dev", Role::Developer), ("Vera", Role::Viewer)] {
        let member = house.member(name, role).await;
        assert_eq!(problem(house.list(&member, team, AuditFilter::default()).await).status, 403, "{role:?}");
    }
    let admin = house.member("Adam", Role::Admin).await;
    for reader in [&house.ada, &admin] {
        assert_eq!(house.names(reader, team, AuditFilter::default()).await, ["Shop"]);
    }
    let operator = Actor { is_admin: true, ..stranger.clone() };
    assert_eq!(house.names(&operator, team, AuditFilter::default()).await, ["Shop"]);
    assert_eq!(problem(house.list(&Actor::nobody(), Whose::Own, AuditFilter::default()).await).status, 401);
}

#[sqlx::test(migrations = "../../migrations")]
async fn everybodys_is_for_administrators_of_the_platform_and_never_for_tokens(pool: PgPool) {
    let house = House::new(pool).await;
    house.note(&house.ada, "site.create", "Shop").await;
    let owner = Actor { is_admin: false, ..house.ada.clone() };
    assert_eq!(problem(house.list(&owner, Whose::Everybody, AuditFilter::default()).await).status, 403);
    let operator = Actor { is_admin: true, ..house.ada.clone() };
    assert_eq!(house.names(&operator, Whose::Everybody, AuditFilter::default()).await, ["Shop"]);
    let token = Actor { is_admin: true, ..house.token(&["audit:read"], None).await };
    assert_eq!(problem(house.list(&token, Whose::Everybody, AuditFilter::default()).await).status, 403);
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_account_reads_what_it_did_itself(pool: PgPool) {
    let house = House::new(pool).await;
    let dev = house.member("Dev", Role::Developer).await;
    house.note(&house.ada, "site.create", "Shop").await;
    house.note(&dev, "site.rename", "Store").await;
    assert_eq!(house.names(&dev, Whose::Own, AuditFilter::default()).await, ["Store"]);
    assert_eq!(house.names(&house.ada, Whose::Own, AuditFilter::default()).await, ["Shop"]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_token_takes_the_scope_for_it_and_reads_its_teams_audit_alone(pool: PgPool) {
    let house = House::new(pool).await;
    house.note(&house.ada, "site.create", "Shop").await;
    let other = accounts::register(&house.platform, registration("Bob")).await.unwrap().team.id;
    let reader = house.token(&["audit:read"], None).await;
    for whose in [Whose::Own, Whose::Team(house.team)] {
        assert_eq!(house.names(&reader, whose, AuditFilter::default()).await, ["Shop"]);
    }
    assert_eq!(problem(house.list(&reader, Whose::Team(other), AuditFilter::default()).await).status, 404);
    let all_but = ["sites:read", "sites:write", "deploy", "variables"];
    let without = house.token(&all_but, None).await;
    for whose in [Whose::Own, Whose::Team(house.team)] {
        let told = problem(house.list(&without, whose, AuditFilter::default()).await);
        assert_eq!((told.status, told.code.as_str()), (403, "insufficient_scope"));
    }
    let (site, _) = crate::testing::site(&house.platform, house.team, "shop").await;
    let of_a_site = house.token(&["audit:read"], Some(site)).await;
    assert_eq!(problem(house.list(&of_a_site, Whose::Own, AuditFilter::default()).await).code, "insufficient_scope");
    // A token goes no further than its owner does today.
    let mut conn = house.platform.pool.acquire().await.unwrap();
    store::teams::set_member(&mut conn, house.team, house.ada.user.unwrap(), Role::Developer).await.unwrap();
    let demoted = Actor { memberships: vec![(house.team, Role::Developer)], ..reader };
    assert_eq!(problem(house.list(&demoted, Whose::Own, AuditFilter::default()).await).status, 403);
}

#[sqlx::test(migrations = "../../migrations")]
async fn filters_find_by_who_what_and_when(pool: PgPool) {
    let house = House::new(pool).await;
    let dev = house.member("Dev", Role::Developer).await;
    house.note(&house.ada, "site.create", "Shop").await;
    house.note(&dev, "site.rename", "Store").await;
    house.note(&Actor::nobody(), "site.delete", "Gone").await;
    let (id, team) = (dev.user.unwrap().to_string(), Whose::Team(house.team));
    for (field, value, found) in [
        ("actor", id.as_str(), vec!["Store"]),
        ("actor", "dev@example.org", vec!["Store"]),
        ("actor", " Dev@Example.org ", vec!["Store"]),
        ("actor", "WebMeteor", vec!["Gone"]),
        ("actor", "nobody@example.org", vec![]),
        ("action", "site.rename", vec!["Store"]),
        ("action", "site", vec!["Gone", "Store", "Shop"]),
        ("action", "site.", vec!["Gone", "Store", "Shop"]),
        ("action", "sit", vec![]),
        ("target", "Shop", vec!["Shop"]),
        ("target", "7", vec!["Gone", "Store", "Shop"]),
        ("from", "2020-01-01", vec!["Gone", "Store", "Shop"]),
        ("from", "2100-01-01", vec![]),
        ("until", "2020-01-01T00:00:00Z", vec![]),
        ("actor", "  ", vec!["Gone", "Store", "Shop"]),
    ] {
        assert_eq!(house.names(&house.ada, team, only(field, value)).await, found, "{field}={value}");
    }
    let today = time::OffsetDateTime::now_utc().date().to_string();
    assert_eq!(house.names(&house.ada, team, only("until", &today)).await.len(), 3, "a day, with it");
    for (field, value) in [
        ("from", "yesterday"),
        ("until", "2026-13-01"),
        ("from", "-0001-01-01"),
        ("action", "site.create'; drop table users"),
        ("action", "%"),
        ("action", ".create"),
    ] {
        let told = problem(house.list(&house.ada, team, only(field, value)).await);
        assert_eq!((told.status, told.errors[0].field.as_str()), (422, field), "{value}");
    }
    let told = problem(list(&house.platform, &house.ada, team, AuditFilter::default(), 50, Some("x")).await);
    assert_eq!(told.errors[0].field, "cursor");
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_entry_tells_who_what_from_where_and_with_which_token_and_outlives_its_team(pool: PgPool) {
    let house = House::new(pool.clone()).await;
    let reader = house.token(&["audit:read"], None).await;
    house.note(&reader.clone().at(Some("192.0.2.7".parse().unwrap())), "site.rename", "Store").await;
    let operator = Actor { is_admin: true, ..house.ada.clone() };
    let of =
        async || house.list(&operator, Whose::Team(house.team), only("action", "site.rename")).await.unwrap().items;
    let [entry] = &of().await[..] else { panic!("one entry") };
    assert_eq!(entry.actor.name, "ada@example.org");
    assert_eq!(
        (entry.before.clone(), entry.after.clone()),
        (Some(json!({"name": "Old"})), Some(json!({"name": "Store"})))
    );
    assert_eq!(entry.address.unwrap().to_string(), "192.0.2.7");
    assert_eq!(entry.token.as_ref().unwrap().name.as_deref(), Some("Reader"));
    // Account, token and team go; what was done stays.
    sqlx::query("delete from teams").execute(&pool).await.unwrap();
    sqlx::query("delete from users").execute(&pool).await.unwrap();
    let [left] = &of().await[..] else { panic!("one entry") };
    assert_eq!((&left.actor, left.token.as_ref().unwrap().name.as_ref()), (&entry.actor, None));
}
