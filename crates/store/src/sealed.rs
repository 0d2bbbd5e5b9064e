//! Every place that holds something sealed with the master key, and how it is sealed with another one.
//!
//! The list is the only one: what is sealed and does not stand here is lost when the old key is. A test reads the schema
//! and fails for a column of bytes that stands in neither list.

use sqlx::{AssertSqlSafe, PgConnection, Result};

/// How the sealed bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A column of bytes.
    Bytes,
    /// Hexadecimal digits under this key of a column of JSON.
    HexIn(&'static str),
}

/// A place that holds something sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// How it is written.
    pub form: Form,
    /// What each value is bound to; `{column}` stands for that column of its row.
    pub row: &'static str,
}

const fn bytes(table: &'static str, column: &'static str, row: &'static str) -> Place {
    Place { table, column, form: Form::Bytes, row }
}

const fn hex(table: &'static str, column: &'static str, key: &'static str, row: &'static str) -> Place {
    Place { table, column, form: Form::HexIn(key), row }
}

/// All of them.
pub const SEALED: &[Place] = &[
    bytes("sites", "webhook_secret", "sites/{id}/webhook"),
    bytes("sites", "old_webhook_secret", "sites/{id}/old_webhook"),
    bytes("sites", "repository_token", "sites/{id}/repository_token"),
    bytes("environments", "secrets", "environments/{id}/secrets"),
    bytes("variable_sets", "sealed", "environments/{environment_id}/variables/{version}"),
    bytes("preview_variables", "sealed", "sites/{site_id}/previews/variables/{version}"),
    bytes("deploy_keys", "private_key", "deploy_keys/{id}/private_key"),
    bytes("mails", "sealed", "mails/{id}"),
    bytes("invitations", "mail_sealed", "invitations/{id}/mail"),
    bytes("totp", "secret", "totp/{user_id}"),
    bytes("signing_keys", "private_key", "signing_keys/{id}"),
    hex("settings", "value", "sealed", "settings/{key}"),
    hex("sessions", "data", "fresh_token", "sessions/fresh_token"),
    hex("sessions", "data", "fresh_recovery_codes", "sessions/fresh_token"),
    hex("sessions", "data", "fresh_invitation", "sessions/fresh_token"),
];

/// Columns of bytes that are not sealed, with the reason.
pub const NOT_SEALED: &[(&str, &str, &str)] = &[
    ("refresh_tokens", "token_hash", "a hash"),
    ("api_tokens", "token_hash", "a hash"),
    ("account_links", "token_hash", "a hash"),
    ("invitations", "link_hash", "a hash"),
    ("invitations", "mail_hash", "a hash"),
    ("recovery_codes", "code_hash", "a hash"),
    ("passkeys", "credential_id", "what browsers know a passkey by; the private half never leaves them"),
    ("deliveries", "body", "what a forge sent; secrets are in none of it"),
];

/// A sealed value where it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where in the table, as long as the row is not changed.
    at: String,
    /// What it is bound to.
    pub row: String,
    /// The sealed bytes.
    pub sealed: Vec<u8>,
}

impl Place {
    /// The sealed bytes, as SQL.
    fn value(&self) -> String {
        match self.form {
            Form::Bytes => self.column.to_owned(),
            Form::HexIn(key) => format!("decode({}->>'{key}', 'hex')", self.column),
        }
    }

    /// What a value is bound to, as SQL.
    fn row_as_sql(&self) -> String {
        let mut parts = Vec::new();
        for (number, part) in self.row.split(['{', '}']).enumerate() {
            parts.push(if number % 2 == 0 { format!("'{part}'") } else { format!("{part}::text") });
        }
        parts.join(" || ")
    }

    /// There is something sealed in a row, as SQL.
    fn is_there(&self) -> String {
        match self.form {
            Form::Bytes => format!("{} is not null", self.column),
            Form::HexIn(key) => format!("{}->>'{key}' is not null", self.column),
        }
    }

    /// How many blocks of the disk its table has now; a look at it goes through them in order.
    pub async fn blocks(&self, conn: &mut PgConnection) -> Result<i64> {
        let blocks = "select pg_relation_size($1::regclass) / current_setting('block_size')::bigint";
        sqlx::query_scalar(blocks).bind(self.table).fetch_one(conn).await
    }

    /// What lies in these blocks and does not begin with `prefix`. Nothing is locked.
    pub async fn others(&self, conn: &mut PgConnection, prefix: &[u8], from: i64, to: i64) -> Result<Vec<Found>> {
        let (value, row, is_there) = (self.value(), self.row_as_sql(), self.is_there());
        let rows: Vec<(String, String, Vec<u8>)> = sqlx::query_as(AssertSqlSafe(format!(
            "select ctid::text, {row}, {value} from {} where ctid >= $1::tid and ctid < $2::tid and {is_there} \
             and substr({value}, 1, $3) <> $4",
            self.table
        )))
        .bind(format!("({from},0)"))
        .bind(format!("({to},0)"))
        .bind(i32::try_from(prefix.len()).unwrap_or(i32::MAX))
        .bind(prefix)
        .fetch_all(conn)
        .await?;
        Ok(rows.into_iter().map(|(at, row, sealed)| Found { at, row, sealed }).collect())
    }

    /// Puts another sealed form in the place of what was found; `false` where the row was changed since. One row is held,
    /// for this one statement, so nobody who holds several waits in a circle.
    pub async fn replace(&self, conn: &mut PgConnection, found: &Found, sealed: &[u8]) -> Result<bool> {
        let (table, column, value) = (self.table, self.column, self.value());
        let new = match self.form {
            Form::Bytes => "$2".to_owned(),
            Form::HexIn(key) => format!("jsonb_set({column}, '{{{key}}}', to_jsonb(encode($2, 'hex')))"),
        };
        let update = format!("update {table} set {column} = {new} where ctid = $1::tid and {value} = $3");
        let done =
            sqlx::query(AssertSqlSafe(update)).bind(&found.at).bind(sealed).bind(&found.sealed).execute(conn).await?;
        Ok(done.rows_affected() == 1)
    }

    /// How many values begin with which `length` bytes; those whose first byte is 1 are counted together, for no key's
    /// name follows it.
    pub async fn counts(&self, conn: &mut PgConnection, length: i32) -> Result<Vec<(Vec<u8>, i64)>> {
        let (value, is_there) = (self.value(), self.is_there());
        sqlx::query_as(AssertSqlSafe(format!(
            "select substr({value}, 1, case substr({value}, 1, 1) when '\\x01' then 1 else $1 end), count(*) \
             from {} where {is_there} group by 1 order by 1",
            self.table
        )))
        .bind(length)
        .fetch_all(conn)
        .await
    }
}

/// Who may seal everything anew: one at a time, for as long as this connection lasts. `false`: another is at it.
pub async fn lock(conn: &mut PgConnection) -> Result<bool> {
    sqlx::query_scalar("select pg_try_advisory_lock(hashtext('webmeteor.sealed'))").fetch_one(conn).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::PgPool;
    use std::collections::BTreeSet;

    #[sqlx::test(migrations = "../../migrations")]
    async fn every_column_of_bytes_is_known_to_be_sealed_or_not(pool: PgPool) {
        let columns: Vec<(String, String)> = sqlx::query_as(
            "select table_name::text, column_name::text from information_schema.columns \
             where table_schema = 'public' and data_type = 'bytea' and table_name <> '_sqlx_migrations'",
        )
        .fetch_all(&pool)
        .await
        .unwrap();
        let sealed = SEALED.iter().filter(|place| place.form == Form::Bytes).map(|place| (place.table, place.column));
        let known: BTreeSet<_> = sealed.chain(NOT_SEALED.iter().map(|(table, column, _)| (*table, *column))).collect();
        let there: BTreeSet<_> = columns.iter().map(|(table, column)| (table.as_str(), column.as_str())).collect();
        assert_eq!(there, known, "name a column of bytes in SEALED or in NOT_SEALED");
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn the_statements_of_every_place_are_right(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        for place in SEALED {
            let blocks = place.blocks(&mut conn).await.unwrap();
            assert_eq!(blocks, 0, "{}", place.table);
            assert_eq!(place.others(&mut conn, b"\x02key!", 0, 8).await.unwrap(), [], "{place:?}");
            assert_eq!(place.counts(&mut conn, 5).await.unwrap(), [], "{place:?}");
            let nothing = Found { at: "(0,1)".into(), row: String::new(), sealed: vec![1] };
            assert!(!place.replace(&mut conn, &nothing, &[2]).await.unwrap(), "{place:?}");
        }
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn a_value_is_found_and_replaced_unless_its_row_was_changed(pool: PgPool) {
        let mut conn = pool.acquire().await.unwrap();
        let place = SEALED.iter().find(|place| place.table == "settings").unwrap();
        let put = async |hex: &str| {
            let value = serde_json::json!({"id": 7, "sealed": hex});
            crate::settings::put(&mut pool.acquire().await.unwrap(), "app", &value).await.unwrap();
        };
        put("01aabbccddee").await;
        let found = place.others(&mut conn, b"\x02key!", 0, 8).await.unwrap();
        assert_eq!((found.len(), found[0].row.as_str()), (1, "settings/app"));
        assert_eq!(found[0].sealed, hex_of("01aabbccddee"));
        put("01ffffffffff").await;
        assert!(!place.replace(&mut conn, &found[0], b"\x02key!x").await.unwrap());
        let found = place.others(&mut conn, b"\x02key!", 0, 8).await.unwrap();
        assert!(place.replace(&mut conn, &found[0], b"\x02key!x").await.unwrap());
        assert_eq!(place.others(&mut conn, b"\x02key!", 0, 8).await.unwrap(), []);
        let value = crate::settings::get(&mut conn, "app").await.unwrap().unwrap();
        assert_eq!(value, serde_json::json!({"id": 7, "sealed": "026b65792178"}));
        assert_eq!(place.counts(&mut conn, 5).await.unwrap(), [(b"\x02key!".to_vec(), 1)]);
    }

    fn hex_of(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }
}
