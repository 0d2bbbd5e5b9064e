//! When builds last used which image or layer. An image is named by the first 12 hexadecimal digits of its id.

use model::SiteId;
use sqlx::{PgConnection, Result};
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// Notes that a site's build used these just now.
pub async fn note(conn: &mut PgConnection, site: SiteId, images: &[String]) -> Result<()> {
    sqlx::query(
        "insert into image_uses (image_id, site_id) select distinct unnest($1::text[]), $2 \
         on conflict (image_id) do update set site_id = excluded.site_id, used_at = now()",
    )
    .bind(images)
    .bind(site)
    .execute(conn)
    .await?;
    Ok(())
}

/// When each was used last.
pub async fn all(conn: &mut PgConnection) -> Result<BTreeMap<String, OffsetDateTime>> {
    let rows: Vec<(String, OffsetDateTime)> =
        sqlx::query_as("select image_id, used_at from image_uses").fetch_all(conn).await?;
    Ok(rows.into_iter().collect())
}

/// Those that this site's builds used last.
pub async fn of_site(conn: &mut PgConnection, site: SiteId) -> Result<Vec<String>> {
    sqlx::query_scalar("select image_id from image_uses where site_id = $1").bind(site).fetch_all(conn).await
}

/// Forgets what is not among `there`: those images are gone.
pub async fn keep(conn: &mut PgConnection, there: &[String]) -> Result<()> {
    sqlx::query("delete from image_uses where image_id <> all($1) and used_at < now() - interval '1 day'")
        .bind(there)
        .execute(conn)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::PgPool;

    #[sqlx::test(migrations = "../../migrations")]
    async fn a_use_is_noted_once_for_each_image_and_forgotten_with_it(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let team = crate::teams::insert(&mut conn, "acme", "Acme").await.unwrap().unwrap().id;
        let source = model::site::Source::Hosted {};
        let site = SiteId::new();
        let new = crate::sites::NewSite {
            id: site,
            team,
            slug: "shop",
            name: "Shop",
            source: &source,
            webhook_secret: b"sealed",
            repository_token: None,
        };
        crate::sites::insert(&mut conn, &new).await.unwrap();
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        note(&mut conn, site, &ids(&["a", "b", "a"])).await.unwrap();
        let first = all(&mut conn).await.unwrap();
        note(&mut conn, site, &ids(&["b"])).await.unwrap();
        let second = all(&mut conn).await.unwrap();
        assert_eq!(first["a"], second["a"]);
        assert!(second["b"] > first["b"]);
        assert_eq!(of_site(&mut conn, site).await.unwrap().len(), 2);

        keep(&mut conn, &ids(&["a"])).await.unwrap();
        assert_eq!(all(&mut conn).await.unwrap().len(), 2, "a use of today may be of an image that was just made");
        sqlx::query("update image_uses set used_at = now() - interval '2 days'").execute(&mut *conn).await.unwrap();
        keep(&mut conn, &ids(&["a"])).await.unwrap();
        assert_eq!(all(&mut conn).await.unwrap().into_keys().collect::<Vec<_>>(), ["a"]);
    }
}
