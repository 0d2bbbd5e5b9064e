//! The table: each way into the program, and what each kind of caller is answered on it.
//!
//! To add a row:
//! - `way`: for a REST operation its method and address as `/api/v1/openapi.json` has them; for a server function `fn`
//!   and its name; for an event that a socket may ask `socket <`, for one that it is told `socket >`; for Git the
//!   method and the address as in `server::git_http::ADDRESSES`.
//! - `with`: what is sent along: a query that begins with `?`, a JSON body, a form for a server function. Things in
//!   braces are filled in: `{site}` of the team, with its `{deployment}` (cancelled) and its `{delivery}` (refused),
//!   `{deleting}` (a site that is being removed), `{elsewhere}` (another site of the team), `{team}`, `{nobody}` (an id
//!   of nothing). An `{id}` in the address is the thing that the address speaks of, or what [`Row::on`] says; what else
//!   stands in braces there is `{nobody}`.
//! - `answers`: one cell for each of [`super::stage::CALLERS`]: the status; after a colon what the problem's code or
//!   detail must hold; 503 for what Docker is asked, which is not there; `202/409` where the order of the callers
//!   decides. A way that changes something is taken in such a manner that being let in shows and costs nothing: 422 for a body that is wrong behind the door, 404 of a part
//!   (`404:environment`) and not of the whole (`404:site`), 409 for what is over.

/// A row.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub way: &'static str,
    pub with: &'static str,
    pub answers: &'static str,
    /// What `{id}` stands for.
    pub on: &'static str,
}

impl Row {
    const fn on(self, on: &'static str) -> Self {
        Self { on, ..self }
    }
}

const fn row(way: &'static str, with: &'static str, answers: &'static str) -> Row {
    Row { way, with, answers, on: "" }
}

#[rustfmt::skip]
pub const TABLE: &[Row] = &[
    //                                                  owner admin developer viewer other nobody scope without elsewhere
    row("GET /api/v1/openapi.json", "",                 "200 200 200 200 200 200 200 200 200"),
    row("POST /api/v1/auth/register", "{}",             "422 422 422 422 422 422 422 422 422"),
    row("POST /api/v1/auth/token", "{}",                "422 422 422 422 422 422 422 422 422"),
    row("POST /api/v1/auth/refresh", "{}",              "422 422 422 422 422 422 422 422 422"),
    row("POST /api/v1/auth/logout", r#"{"refresh_token": "x"}"#, "204 204 204 204 204 204 204 204 204"),
    row("POST /api/v1/auth/confirm", r#"{"token": "x"}"#, "422 422 422 422 422 422 422 422 422"),
    row("POST /api/v1/auth/password-reset", r#"{"email": "x"}"#, "202 202 202 202 202 202 202 202 202"),
    row("POST /api/v1/auth/password-reset/confirm", r#"{"token": "x", "password": "x"}"#,
                                                        "422 422 422 422 422 422 422 422 422"),
    row("GET /api/v1/me", "",                           "200 200 200 200 200 401 200 200 200"),
    row("DELETE /api/v1/me", r#"{"email": "x", "password": "x"}"#,
                                                        "422 422 422 422 422 401 403:token_not 403:token_not 403:token_not"),
    row("GET /api/v1/me/deletion", "",                  "200 200 200 200 200 401 403:token_not 403:token_not 403:token_not"),
    row("POST /api/v1/me/email", r#"{"email": "x", "password": "x"}"#,
                                                        "422 422 422 422 422 401 403:token_not 403:token_not 403:token_not"),
    row("POST /api/v1/me/email/verification", "",       "202 202 202 202 202 401 403:token_not 403:token_not 403:token_not"),
    row("GET /api/v1/me/sessions", "",                  "200 200 200 200 200 401 403:token_not 403:token_not 403:token_not"),
    row("DELETE /api/v1/me/sessions/{id}", "",          "404:session 404:session 404:session 404:session 404:session 401 403:token_not 403:token_not 403:token_not"),
    row("GET /api/v1/passkeys", "",                     "200 200 200 200 200 401 403:token_not 403:token_not 403:token_not"),
    row("DELETE /api/v1/passkeys/{id}", "",             "404:passkey 404:passkey 404:passkey 404:passkey 404:passkey 401 403:token_not 403:token_not 403:token_not"),
    row("GET /api/v1/teams", "",                        "200 200 200 200 200 401 200 200 200"),
    row("GET /api/v1/queue", "",                        "200 200 200 200 200 401 200 403:scope 200"),

    row("GET /api/v1/tokens", "",                       "200 200 200 200 200 401 403:token_not 403:token_not 403:token_not"),
    row("POST /api/v1/tokens", r#"{"name": "x", "scopes": []}"#, "422 422 422 422 422 401 403:token_not 403:token_not 403:token_not"),
    row("DELETE /api/v1/tokens/{id}", "",               "404 404 404 404 404 401 403:token_not 403:token_not 403:token_not"),

    row("POST /api/v1/deploy-keys", r#"{"url": "x", "team_id": "{team}"}"#, "422 422 422 403 404:team 401 422 403:scope 403:scope"),
    row("GET /api/v1/github/installations", "",         "200 200 200 200 200 401 200 403:scope 200"),
    row("GET /api/v1/github/installations/{id}/repositories", "", "404 404 404 404 404 401 404 403:scope 404").on("1"),

    row("GET /api/v1/sites", "",                        "200 200 200 200 200 401 200 403:scope 200"),
    row("POST /api/v1/sites", r#"{"team_id": "{team}", "name": "", "source": {"hosted": {}}}"#,
                                                        "422 422 422 403 404:team 401 422 403:scope 403:scope"),
    row("GET /api/v1/sites/{id}", "",                   "200 200 200 200 404 401 200 403:scope 404"),
    row("PATCH /api/v1/sites/{id}", "{}",               "200 200 200 403 404 401 200 403:scope 404"),
    row("DELETE /api/v1/sites/{id}", "",                "409 409 409 403 404 401 409 403:scope 404").on("deleting"),
    row("GET /api/v1/sites/{id}/usage", "",             "503 503 503 503 404 401 503 403:scope 404"),
    row("POST /api/v1/sites/{id}/webhook/rotate", "",   "200 200 403 403 404 401 200 403:scope 404"),
    row("DELETE /api/v1/sites/{id}/webhook/old-secret", "", "204 204 403 403 404 401 204 403:scope 404"),

    row("GET /api/v1/sites/{id}/domains", "",           "200 200 200 200 404 401 200 403:scope 404"),
    row("POST /api/v1/sites/{id}/domains", r#"{"host": ""}"#, "422 422 422 403 404 401 422 403:scope 404"),
    row("PATCH /api/v1/sites/{id}/domains/{domain_id}", "{}",
                                                        "404:domain 404:domain 404:domain 403 404:site 401 404:domain 403:scope 404:site"),
    row("DELETE /api/v1/sites/{id}/domains/{domain_id}", "",
                                                        "404:domain 404:domain 404:domain 403 404:site 401 404:domain 403:scope 404:site"),
    row("POST /api/v1/sites/{id}/domains/{domain_id}/verify", "",
                                                        "404:domain 404:domain 404:domain 403 404:site 401 404:domain 403:scope 404:site"),

    row("GET /api/v1/sites/{id}/environments", "",      "200 200 200 200 404 401 200 403:scope 404"),
    row("POST /api/v1/sites/{id}/environments", r#"{"name": "", "branch": "x"}"#,
                                                        "422 422 422 403 404 401 422 403:scope 404"),
    row("GET /api/v1/sites/{id}/environments/{name}", "", "200 200 200 200 404 401 200 403:scope 404"),
    row("PATCH /api/v1/sites/{id}/environments/{name}", "{}", "200 200 200 403 404 401 200 403:scope 404"),
    row("DELETE /api/v1/sites/{id}/environments/{name}", "", "409 409 409 403 404 401 409 403:scope 404"),
    row("GET /api/v1/sites/{id}/environments/{name}/variables", "", "200 200 200 403 404 401 200 403:scope 404"),
    row("PUT /api/v1/sites/{id}/environments/{name}/variables", r#"{"version": 99, "variables": []}"#,
                                                        "409 409 409 403 404 401 409 403:scope 404"),

    row("GET /api/v1/sites/{id}/previews", "",          "200 200 200 200 404 401 200 403:scope 404"),
    row("GET /api/v1/sites/{id}/previews/variables", "", "200 200 200 403 404 401 200 403:scope 404"),
    row("PUT /api/v1/sites/{id}/previews/variables", r#"{"version": 99, "variables": []}"#,
                                                        "409 409 409 403 404 401 409 403:scope 404"),
    row("DELETE /api/v1/sites/{id}/previews/{number}", "", "404:pull 404:pull 404:pull 403 404:site 401 404:pull 403:scope 404:site"),
    row("POST /api/v1/sites/{id}/previews/{number}/approve", r#"{"commit": "0000000000000000000000000000000000000000"}"#,
                                                        "404:pull 404:pull 404:pull 403 404:site 401 404:pull 403:scope 404:site"),

    row("GET /api/v1/sites/{id}/deployments", "",       "200 200 200 200 404 401 200 403:scope 404"),
    row("POST /api/v1/sites/{id}/deployments", r#"{"environment": "nowhere"}"#,
                                                        "422 422 422 403 404 401 422 403:scope 404"),
    row("GET /api/v1/deployments/{id}", "",             "200 200 200 200 404 401 200 403:scope 404"),
    row("GET /api/v1/deployments/{id}/log", "",         "200 200 200 200 404 401 200 403:scope 404"),
    row("POST /api/v1/deployments/{id}/cancel", "",     "409 409 409 403 404 401 409 403:scope 404"),
    row("POST /api/v1/deployments/{id}/redeploy", "",   "202/409 202/409 202/409 403 404 401 202/409 403:scope 404"),
    row("POST /api/v1/deployments/{id}/rollback", "",   "409 409 409 403 404 401 409 403:scope 404"),
    row("POST /api/v1/deployments/{id}/promote", r#"{"environment": "production"}"#,
                                                        "409 409 409 403 404 401 409 403:scope 404"),

    row("GET /api/v1/deliveries", "?site_id={site}",    "200 200 200 200 404 401 200 403:scope 404"),
    row("GET /api/v1/deliveries/{id}", "",              "200 200 200 200 404 401 200 403:scope 404"),
    row("POST /api/v1/deliveries/{id}/replay", "",      "409 409 409 403 404 401 409 403:scope 404"),

    // A server function knows sessions and no tokens.
    row("fn abandon_totp", "",                          "200 200 200 200 200 401 401 401 401"),
    row("fn account", "",                               "200 200 200 200 200 401 401 401 401"),
    row("fn account_deletion", "",                      "200 200 200 200 200 401 401 401 401"),
    row("fn add_domain", "site={site}&environment=production&host=", "422 422 422 403 404 401 401 401 401"),
    row("fn add_passkey", "credential=x",               "401:sign_in_expired 401:sign_in_expired 401:sign_in_expired 401:sign_in_expired 401:sign_in_expired 401:unauthenticated 401:unauthenticated 401:unauthenticated 401:unauthenticated"),
    row("fn approve_preview", "site={site}&number=999&commit=0000000000000000000000000000000000000000",
                                                        "404:pull 404:pull 404:pull 403 404:site 401 401 401 401"),
    // This platform is reached by an IP address, for which there are no passkeys.
    row("fn ask_for_passkey", "",                       "409 409 409 409 409 409 409 409 409"),
    row("fn begin_passkey", "name=x&passkey_password=x", "409 409 409 409 409 401 401 401 401"),
    row("fn begin_totp", "password=x",                  "422 422 422 422 422 401 401 401 401"),
    row("fn cancel_deployment", "id={deployment}",      "409 409 409 403 404 401 401 401 401"),
    row("fn change_email", "new_email=x&email_password=x", "422 422 422 422 422 401 401 401 401"),
    row("fn change_environment", "site={site}&environment=nowhere&branch=main",
                                                        "404:environment 404:environment 404:environment 403 404:site 401 401 401 401"),
    row("fn change_password", "current=x&new=x",        "422 422 422 422 422 401 401 401 401"),
    row("fn check_domain", "site={site}&id={nobody}",   "404:domain 404:domain 404:domain 403 404:site 401 401 401 401"),
    row("fn check_slug", "slug=free-slug",              "200 200 200 200 200 401 401 401 401"),
    row("fn confirm_link", "token=x",                   "422 422 422 422 422 422 422 422 422"),
    row("fn confirm_totp", "code=000000",               "409 409 409 409 409 401 401 401 401"),
    row("fn create_environment", "site={site}&name=&branch=x", "422 422 422 403 404 401 401 401 401"),
    row("fn create_site", "source=hosted&name=",        "422 422 422 422 422 401 401 401 401"),
    row("fn create_token", "name=x",                    "422 422 422 422 422 401 401 401 401"),
    row("fn delete_account", "confirm_email=x&delete_password=x", "422 422 422 422 422 401 401 401 401"),
    row("fn delete_environment", "site={site}&environment=production&confirm=production",
                                                        "409 409 409 403 404 401 401 401 401"),
    row("fn delete_site", "id={deleting}&confirm=deleting", "409 409 409 403 404 401 401 401 401"),
    row("fn delete_token", "id={nobody}",               "404 404 404 404 404 401 401 401 401"),
    row("fn deliveries", "site={site}",                 "200 200 200 200 404 401 401 401 401"),
    row("fn delivery", "id={delivery}",                 "200 200 200 200 404 401 401 401 401"),
    row("fn deploy", "site={site}&environment=nowhere", "422 422 422 403 404 401 401 401 401"),
    row("fn deployment", "id={deployment}",             "200 200 200 200 404 401 401 401 401"),
    row("fn deployment_log", "id={deployment}&after=0&limit=10", "200 200 200 200 404 401 401 401 401"),
    row("fn deployments", "site={site}&environment=production", "200 200 200 200 404 401 401 401 401"),
    row("fn domains", "site={site}&environment=production", "200 200 200 200 404 401 401 401 401"),
    row("fn environments", "site={site}",               "200 200 200 200 404 401 401 401 401"),
    row("fn finish_sign_in", "code=000000",             "401:sign_in_expired 401:sign_in_expired 401:sign_in_expired 401:sign_in_expired 401:sign_in_expired 401:sign_in_expired 401:sign_in_expired 401:sign_in_expired 401:sign_in_expired"),
    row("fn forget_github", "",                         "403 403 403 403 403 401 401 401 401"),
    row("fn github_app", "",                            "403 403 403 403 403 401 401 401 401"),
    row("fn github_repositories", "installation=1",     "404 404 404 404 404 401 401 401 401"),
    row("fn github_ways", "",                           "200 200 200 200 200 401 401 401 401"),
    row("fn import_variables", "site={site}&environment=nowhere&text=A%3D1",
                                                        "404:environment 404:environment 404:environment 403 404:site 401 401 401 401"),
    row("fn look_at_link", "token=x",                   "422 422 422 422 422 422 422 422 422"),
    row("fn look_at_reset", "token=x",                  "422 422 422 422 422 422 422 422 422"),
    row("fn pause_environment", "site={site}&environment=nowhere",
                                                        "404:environment 404:environment 404:environment 403 404:site 401 401 401 401"),
    row("fn previews", "site={site}",                   "200 200 200 200 404 401 401 401 401"),
    row("fn promote", "id={deployment}&environment=production", "409 409 409 403 404 401 401 401 401"),
    row("fn put_variable", "site={site}&environment=nowhere&name=A",
                                                        "404:environment 404:environment 404:environment 403 404:site 401 401 401 401"),
    row("fn queue", "",                                 "200 200 200 200 200 401 401 401 401"),
    row("fn redeploy", "id={deployment}",               "200/409 200/409 200/409 403 404 401 401 401 401"),
    row("fn remove_domain", "site={site}&id={nobody}&environment=production",
                                                        "404:domain 404:domain 404:domain 403 404:site 401 401 401 401"),
    row("fn remove_passkey", "id={nobody}",             "404:passkey 404:passkey 404:passkey 404:passkey 404:passkey 401 401 401 401"),
    row("fn remove_preview", "site={site}&number=999",  "404:pull 404:pull 404:pull 403 404:site 401 401 401 401"),
    row("fn remove_variable", "site={site}&environment=production&name=A",
                                                        "404:variable 404:variable 404:variable 403 404:site 401 401 401 401"),
    row("fn rename_account", "name=",                   "422 422 422 422 422 401 401 401 401"),
    row("fn rename_site", "id={site}&name=shop",        "200 200 200 403 404 401 401 401 401"),
    row("fn renew_recovery_codes", "renewal_code=000000", "409 409 409 409 409 401 401 401 401"),
    row("fn replay_delivery", "id={delivery}",          "409 409 409 403 404 401 401 401 401"),
    row("fn request_reset", "email=x",                  "200 200 200 200 200 200 200 200 200"),
    row("fn reset_password", "token=x&password=x",      "422 422 422 422 422 422 422 422 422"),
    row("fn revoke_old_webhook_secret", "site={site}",  "200 200 403 403 404 401 401 401 401"),
    row("fn revoke_session", "id={nobody}",             "404:session 404:session 404:session 404:session 404:session 401 401 401 401"),
    row("fn rollback", "id={deployment}",               "409 409 409 403 404 401 401 401 401"),
    row("fn rotate_webhook_secret", "site={site}",      "200 200 403 403 404 401 401 401 401"),
    row("fn second_step", "",                           "200 200 200 200 200 200 200 200 200"),
    row("fn security", "",                              "200 200 200 200 200 401 401 401 401"),
    row("fn send_verification", "",                     "200 200 200 200 200 401 401 401 401"),
    row("fn sessions", "",                              "200 200 200 200 200 401 401 401 401"),
    row("fn set_previews", "site={site}&max=1&idle_days=1", "200 200 200 403 404 401 401 401 401"),
    row("fn set_primary_domain", "site={site}&id={nobody}", "404:domain 404:domain 404:domain 403 404:site 401 401 401 401"),
    row("fn set_repository", "id={site}&git_url=https://example.org/x.git&git_branch=main",
                                                        "409 409 409 403 404 401 401 401 401"),
    row("fn sign_in", "email=x&password=x",             "401 401 401 401 401 401 401 401 401"),
    row("fn sign_in_with_passkey", "credential=x",      "401:sign_in_expired 401:sign_in_expired 401:sign_in_expired 401:sign_in_expired 401:sign_in_expired 401:sign_in_expired 401:sign_in_expired 401:sign_in_expired 401:sign_in_expired"),
    row("fn sign_up", "name=&email=&password=",         "422 422 422 422 422 422 422 422 422"),
    row("fn site", "id={site}",                         "200 200 200 200 404 401 401 401 401"),
    row("fn sites", "",                                 "200 200 200 200 200 401 401 401 401"),
    row("fn templates", "",                             "200 200 200 200 200 401 401 401 401"),
    row("fn tokens", "",                                "200 200 200 200 200 401 401 401 401"),
    row("fn turn_off_totp", "password=x&code=000000",   "422 422 422 422 422 401 401 401 401"),
    row("fn unlink_provider", "provider=x",             "404:linked 404:linked 404:linked 404:linked 404:linked 401 401 401 401"),
    row("fn usage", "id={site}",                        "503 503 503 503 404 401 401 401 401"),
    row("fn variables", "site={site}&environment=production", "200 200 200 403 404 401 401 401 401"),
    row("fn visitor", "",                               "200 200 200 200 200 200 200 200 200"),
    row("fn webhook_secret", "id={site}",               "200 200 200 403 404 401 401 401 401"),

    row("socket < subscribe", r#"{"site_id": "{site}"}"#, "ok ok ok ok not_found refused ok insufficient_scope not_found"),
    row("socket < subscribe", r#"{"deployment_id": "{deployment}"}"#, "ok ok ok ok not_found refused ok insufficient_scope not_found"),
    row("socket < unsubscribe", r#"{"site_id": "{site}"}"#, "ok ok ok ok ok refused ok ok ok"),
    row("socket > deployment", "",                      "told told told told - - told - -"),
    row("socket > deployment.log", "",                  "told told told told - - told - -"),
    row("socket > site", "",                            "told told told told - - told - -"),
    row("socket > notification", "",                    "told told told told - - told - -"),

    row("GET /git/{team}/{repository}/info/refs", "?service=git-upload-pack", "200 200 200 200 404 401 200 403:scope 404"),
    row("GET /git/{team}/{repository}/info/refs", "?service=git-receive-pack", "200 200 200 403 404 401 200 403:scope 404"),
    row("POST /git/{team}/{repository}/git-upload-pack", "", "200 200 200 200 404 401 200 403:scope 404"),
    row("POST /git/{team}/{repository}/git-receive-pack", "", "200 200 200 403 404 401 200 403:scope 404"),

    // They come last: they end what the rows above are signed in with. After this one everybody's browser signs in anew.
    row(super::calls::ENDS_BROWSERS, "",                "200 200 200 200 200 401 403:token_not 403:token_not 403:token_not"),
    row("fn revoke_other_sessions", "",                 "200 200 200 200 200 401 401 401 401"),
    row("fn sign_out", "",                              "200 200 200 200 200 200 200 200 200"),
];
