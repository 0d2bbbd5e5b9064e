//! A dump of the database reveals no secret: everything that people and the platform bring in, and the real `pg_dump`.

mod forms;

use crate::{secrets::EnvironmentSecrets, testing::World};
use forms::found;
use sqlx::PgPool;
use std::{path::PathBuf, process::Command};

/// The newest `pg_dump` that is installed: one older than its server refuses.
fn pg_dump() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|it| it.path().join("bin/pg_dump")).filter(|it| it.is_file()).collect();
    found.sort();
    found.pop().unwrap_or_else(|| "pg_dump".into())
}

/// The database of this test, as somebody who stole a backup has it.
async fn dump(pool: &PgPool) -> String {
    let name: String = sqlx::query_scalar("select current_database()").fetch_one(pool).await.unwrap();
    let server = std::env::var("DATABASE_URL").unwrap();
    let url = format!("{}/{name}", server.rsplit_once('/').unwrap().0);
    let output = Command::new(pg_dump()).args(["--inserts", "--dbname", &url]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_dump_reveals_no_secret(pool: PgPool) {
    let mut world = World::new(pool.clone()).await;
    let mut secrets = world.plant().await;
    let mut conn = pool.acquire().await.unwrap();
    let row = store::environments::by_id(&mut conn, world.team, world.environment).await.unwrap().unwrap();
    let own = EnvironmentSecrets::open(&world.platform, &mut conn, &row, 0).await.unwrap().values();
    secrets.extend(own.into_iter().map(|value| ("the environment's own", value)));

    let dump = dump(&pool).await;
    for there in [
        "ada@example.org",
        "signing_keys",
        "api_tokens",
        "github_app",
        "account_links",
        "recovery_codes",
        "ada/shop.git",
    ] {
        assert!(dump.contains(there), "the dump is whole: {there}");
    }
    assert!(secrets.len() > 40, "{}", secrets.len());
    for (what, secret) in &secrets {
        assert_eq!(found(&dump, secret), None, "{what}");
    }
}
