//! What holds for variables, on the real database.

use super::*;
use crate::{
    secrets::EnvironmentSecrets,
    testing::{World, problem},
};
use sqlx::PgPool;

impl World {
    async fn replace(&self, version: Option<i64>, variables: Vec<NewVariable>) -> Result<VariablesView> {
        let new = NewVariables { version, variables };
        replace(&self.platform, &self.actor, self.site, "production", new).await
    }

    async fn list(&self) -> VariablesView {
        list(&self.platform, &self.actor, self.site, "production").await.unwrap()
    }

    /// The values of one version, secrets too.
    async fn opened(&self, version: i64) -> Set {
        let mut conn = self.platform.pool.acquire().await.unwrap();
        let row = store::environments::by_id(&mut conn, self.team, self.environment).await.unwrap().unwrap();
        open(&self.platform, &mut conn, &row, version).await.unwrap()
    }
}

fn open_variable(name: &str, value: &str) -> NewVariable {
    NewVariable { name: name.into(), value: Some(value.into()), secret: false }
}

fn secret(name: &str, value: Option<&str>) -> NewVariable {
    NewVariable { name: name.into(), value: value.map(Into::into), secret: true }
}

fn shown(view: &VariablesView) -> Vec<(&str, Option<&str>)> {
    view.variables.iter().map(|v| (v.name.as_str(), v.value.as_deref())).collect()
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_secret_is_written_and_never_read_again(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    assert_eq!(world.list().await.version, 0);
    let pem = "-----BEGIN\nplanted-line\n-----END\n";
    let made = world.replace(Some(0), vec![open_variable("MODE", "fast"), secret("KEY", Some(pem))]).await.unwrap();
    assert_eq!((made.version, made.running_version), (1, None));
    assert_eq!(shown(&made), [("KEY", None), ("MODE", Some("fast"))]);
    assert_eq!(made, world.list().await);

    let kept = world.replace(Some(1), vec![secret("KEY", None), open_variable("MODE", "slow")]).await.unwrap();
    assert_eq!(kept.version, 2);
    assert_eq!(world.opened(2).await[&EnvKey::parse("KEY").unwrap()].value, pem);
    let bare = NewVariable { secret: false, ..secret("KEY", None) };
    assert_eq!(problem(world.replace(None, vec![bare]).await).errors[0].code, "required");

    let stored: Vec<Vec<u8>> = sqlx::query_scalar("select sealed from variable_sets").fetch_all(&pool).await.unwrap();
    assert!(stored.iter().all(|sealed| !String::from_utf8_lossy(sealed).contains("planted")));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_change_to_what_is_no_longer_there_is_stale_and_changes_nothing(pool: PgPool) {
    let world = World::new(pool).await;
    world.replace(None, vec![open_variable("A", "1")]).await.unwrap();
    let (one, two) = tokio::join!(
        world.replace(Some(1), vec![open_variable("A", "2")]),
        world.replace(Some(1), vec![open_variable("A", "3")])
    );
    let (won, lost) = if one.is_ok() { (one, two) } else { (two, one) };
    assert_eq!((problem(lost).code, won.unwrap().version), ("stale".to_owned(), 2));
    let same = world.list().await.variables[0].value.clone().unwrap();
    let again = world.replace(Some(2), vec![open_variable("A", &same)]).await.unwrap();
    assert_eq!(again.version, 2, "what changes nothing makes no version");
}

#[sqlx::test(migrations = "../../migrations")]
async fn every_wrong_variable_is_told_by_its_place(pool: PgPool) {
    let world = World::new(pool).await;
    let wrong = vec![
        open_variable("1A", "x"),
        open_variable("PORT", "80"),
        open_variable("COMPOSE_FILE", "x"),
        open_variable("OK", "x"),
        open_variable("OK", "y"),
        open_variable("NUL", "a\0b"),
        open_variable("LONG", &"x".repeat(MAX_VALUE + 1)),
        secret("NEW", None),
    ];
    let told = problem(world.replace(None, wrong).await);
    let told: Vec<_> = told.errors.iter().map(|e| (e.field.as_str(), e.code.as_str())).collect();
    assert_eq!(
        told,
        [
            ("variables[0].name", "env_key"),
            ("variables[1].name", "reserved"),
            ("variables[2].name", "reserved"),
            ("variables[4].name", "duplicate"),
            ("variables[5].value", "characters"),
            ("variables[6].value", "length"),
            ("variables[7].value", "required"),
        ]
    );
    let many = (0..=MAX_COUNT).map(|i| open_variable(&format!("V{i}"), "x")).collect();
    assert_eq!(problem(world.replace(None, many).await).errors[0].code, "too_many");
    let large = (0..9).map(|i| open_variable(&format!("V{i}"), &"x".repeat(MAX_VALUE))).collect();
    assert_eq!(problem(world.replace(None, large).await).errors[0].code, "too_large");
    assert_eq!(world.list().await.version, 0);
}

#[sqlx::test(migrations = "../../migrations")]
async fn one_is_added_changed_and_removed_and_a_pasted_file_is_laid_over_the_rest(pool: PgPool) {
    let world = World::new(pool).await;
    let (platform, actor, site) = (&world.platform, &world.actor, world.site);
    put(platform, actor, site, "production", open_variable("A", "1")).await.unwrap();
    put(platform, actor, site, "production", secret("TOKEN", Some("hush-hush"))).await.unwrap();
    let text = "A=2\nTOKEN='other'\nB=\"two\\nlines\"";
    let view = import(platform, actor, site, "production", text, false).await.unwrap();
    assert_eq!(shown(&view), [("A", Some("2")), ("B", Some("two\nlines")), ("TOKEN", None)]);
    assert_eq!(world.opened(view.version).await[&EnvKey::parse("TOKEN").unwrap()].value, "other");
    let view = remove(platform, actor, site, "production", "A").await.unwrap();
    assert_eq!(shown(&view).len(), 2);
    assert_eq!(problem(remove(platform, actor, site, "production", "A").await).status, 404);
    for text in ["", "# nothing", "no equals sign", "PORT=1"] {
        let refused = problem(import(platform, actor, site, "production", text, false).await);
        assert_eq!((refused.status, refused.errors[0].field.as_str()), (422, "text"), "{text:?}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn viewers_and_strangers_do_not_see_them(pool: PgPool) {
    let world = World::new(pool).await;
    let reader = Actor { memberships: vec![(world.team, model::Role::Viewer)], ..Actor::platform(world.team) };
    let stranger = Actor { memberships: vec![], ..reader.clone() };
    let new = || NewVariables { version: None, variables: vec![] };
    for (actor, status) in [(&reader, 403), (&stranger, 404)] {
        assert_eq!(problem(list(&world.platform, actor, world.site, "production").await).status, status);
        assert_eq!(problem(replace(&world.platform, actor, world.site, "production", new()).await).status, status);
    }
    assert_eq!(problem(list(&world.platform, &world.actor, world.site, "nowhere").await).status, 404);
}

#[sqlx::test(migrations = "../../migrations")]
async fn services_are_given_them_and_logs_hide_the_secret_ones(pool: PgPool) {
    let world = World::new(pool).await;
    let set = vec![
        open_variable("APP_ENV", "mine"),
        open_variable("MODE", "not-a-secret"),
        secret("KEY", Some("first-line\nsecond-line")),
    ];
    world.replace(None, set).await.unwrap();
    let mut conn = world.platform.pool.acquire().await.unwrap();
    let row = store::environments::by_id(&mut conn, world.team, world.environment).await.unwrap().unwrap();
    let secrets = EnvironmentSecrets::open(&world.platform, &mut conn, &row, 1).await.unwrap();
    let hidden = secrets.values();
    for value in ["first-line\nsecond-line", "first-line", "second-line"] {
        assert!(hidden.iter().any(|it| it == value), "{value}");
    }
    assert!(!hidden.iter().any(|it| it == "not-a-secret"));
    let earlier = EnvironmentSecrets::open(&world.platform, &mut conn, &row, 0).await.unwrap();
    assert_eq!(hidden.len() - earlier.values().len(), 3);
}

#[sqlx::test(migrations = "../../migrations")]
async fn versions_that_nothing_needs_are_forgotten(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    for value in ["1", "2", "3"] {
        world.replace(None, vec![open_variable("A", value)]).await.unwrap();
    }
    let kept: Vec<i64> = sqlx::query_scalar("select version from variable_sets").fetch_all(&pool).await.unwrap();
    assert_eq!(kept, [3]);
}
