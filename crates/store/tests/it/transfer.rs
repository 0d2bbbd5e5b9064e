//! What belongs to a site belongs to the site's team, whatever becomes of it.

use crate::support;
use model::site::Source;
use sqlx::PgPool;
use store::sites;

/// Every table with a team and a site, an environment or a deployment follows them into another team.
#[sqlx::test(migrations = "../../migrations")]
async fn every_table_follows_its_site_into_another_team(pool: PgPool) {
    let stays_behind: Vec<String> = sqlx::query_scalar(
        "select distinct c.table_name::text from information_schema.columns c \
         where c.table_schema = 'public' and c.column_name in ('site_id', 'environment_id', 'deployment_id') \
           and exists (select from information_schema.columns t where t.table_schema = 'public' \
               and t.table_name = c.table_name and t.column_name = 'team_id') \
           and not exists (select from pg_constraint f join pg_attribute a on a.attrelid = f.conrelid \
               where f.conrelid = ('public.' || quote_ident(c.table_name))::regclass and f.contype = 'f' \
               and f.confupdtype = 'c' and a.attnum = any(f.conkey) and a.attname = 'team_id')",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(
        stays_behind, [""; 0],
        "add a foreign key of (site_id, team_id) on sites, with `on update cascade`, as in 0019_teams.sql"
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn nothing_is_added_under_the_team_before(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let (acme, other) = (support::team(&mut conn, "acme").await, support::team(&mut conn, "other").await);
    let site = support::site(&mut conn, acme, "shop", &Source::Hosted {}).await;
    support::environment(&mut conn, acme, site, "production").await.unwrap();
    assert_eq!(sites::under_way(&mut conn, acme, site).await.unwrap(), sites::UnderWay { deployments: 0, pushes: 0 });
    sites::transfer(&mut conn, acme, site, other).await.unwrap();
    assert!(sites::by_slug(&mut conn, &[acme], "shop").await.unwrap().is_none());
    let row = sites::by_slug(&mut conn, &[acme, other], "shop").await.unwrap().unwrap();
    assert_eq!((row.team_id, row.home_team_id, row.home_slug.as_str()), (other, acme, "acme"));
    let stale = sqlx::query("insert into preview_variables (site_id, team_id, version, sealed) values ($1, $2, 1, '')")
        .bind(site)
        .bind(acme)
        .execute(&mut *conn)
        .await;
    assert!(stale.is_err());
}
