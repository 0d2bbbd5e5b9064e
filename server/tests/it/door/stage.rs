//! Who calls, and what there is to be called for.

use crate::support::{App, Setup, client, json, until};
use model::Role;
use reqwest::Client;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The columns of the table: the members of a team by their roles, the owner of another team, nobody, and three API
/// tokens of the owner's: with the scope that the way takes, without it, and with all scopes for another site.
pub const CALLERS: [&str; 9] =
    ["owner", "admin", "developer", "viewer", "other", "nobody", "scope", "without", "elsewhere"];
/// All but the metrics.
const SCOPES: [&str; 5] = ["sites:read", "sites:write", "deploy", "variables", "audit:read"];
pub const PASSWORD: &str = "tide lamp orbit 7";

/// A caller with all that it can sign in with.
#[derive(Clone)]
pub struct Person {
    pub email: String,
    pub token: String,
    /// Signed in to the dashboard.
    pub browser: Client,
}

/// The platform without a worker, with a team's site, its deployment that has ended, a site that is being removed, a
/// webhook that was refused, and an invitation into the team that is open.
pub struct Stage {
    pub app: App,
    pub people: BTreeMap<&'static str, Person>,
    /// API tokens of the owner's by scope, and one for the other site.
    pub tokens: BTreeMap<&'static str, String>,
    /// What stands in braces in the table.
    pub things: BTreeMap<&'static str, String>,
    document: Value,
}

impl Stage {
    pub async fn set() -> Self {
        // All callers come from one address.
        let setup = Setup::new().await.without_docker().set("LIMIT_FACTOR", "100");
        let app = setup.arguments(&["serve", "--roles", "web"]).start().await;
        let (_, document) = app.get("/api/v1/openapi.json", None).await;
        let mut stage =
            Self { app, people: BTreeMap::new(), tokens: BTreeMap::new(), things: BTreeMap::new(), document };
        let team = stage.gather().await;
        stage.put("team", team);
        stage.furnish().await;
        stage.make_tokens().await;
        stage
    }

    /// What the program says of its API.
    pub fn document(&self) -> &Value {
        &self.document
    }

    fn put(&mut self, name: &'static str, value: impl Into<String>) {
        self.things.insert(name, value.into());
    }

    fn owner(&self) -> &str {
        &self.people["owner"].token
    }

    /// Makes the accounts; the owner's team.
    async fn gather(&mut self) -> String {
        let mut conn = self.app.pool().acquire().await.unwrap();
        let mut team = String::new();
        for name in &CALLERS[..5] {
            let email = format!("{name}@example.org");
            let (token, own) = self.app.register(&email).await;
            let role = match *name {
                "admin" => Some(Role::Admin),
                "developer" => Some(Role::Developer),
                "viewer" => Some(Role::Viewer),
                _ => None,
            };
            if *name == "owner" {
                team = own;
            }
            let (_, me) = self.app.get("/api/v1/me", Some(&token)).await;
            match *name {
                "owner" => self.put("owner_id", text(&me["id"])),
                "developer" => self.put("developer_id", text(&me["id"])),
                _ => {}
            }
            if let Some(role) = role {
                let user = text(&me["id"]).parse().unwrap();
                store::teams::set_member(&mut conn, team.parse().unwrap(), user, role).await.unwrap();
            }
            self.people.insert(name, Person { email, token, browser: client() });
        }
        self.sign_in().await;
        team
    }

    /// Signs everybody's browser in.
    pub async fn sign_in(&self) {
        for Person { email, browser, .. } in self.people.values() {
            let form = [("email", email.as_str()), ("password", PASSWORD)];
            let answer = browser.post(format!("{}/_fn/sign_in", self.app.url)).form(&form).send().await.unwrap();
            assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        }
    }

    async fn furnish(&mut self) {
        let site = self.site("shop").await;
        let id = text(&site["id"]);
        self.put("site", id);
        self.put("team_slug", text(&site["team"]["slug"]));
        let deployment = text(&site["deployment_id"]);
        self.put("deployment", deployment);
        let path = format!("/api/v1/deployments/{deployment}/cancel");
        assert_eq!(self.app.post(&path, Some(self.owner()), &json!({})).await.0, 202);
        let elsewhere = self.site("elsewhere").await;
        self.put("elsewhere", text(&elsewhere["id"]));
        let deleting = self.site("deleting").await;
        self.put("deleting", text(&deleting["id"]));
        let path = format!("/api/v1/sites/{}", text(&deleting["id"]));
        let owner = self.owner().to_owned();
        assert_eq!(self.app.send(reqwest::Method::DELETE, &path, Some(&owner), None).await.status(), 202);
        let invite = format!("/api/v1/teams/{}/invitations", self.things["team"]);
        let new = json!({"email": "invited@example.org", "role": "viewer"});
        let (status, invitation) = self.app.post(&invite, Some(&owner), &new).await;
        assert_eq!(status, 201, "{invitation}");
        let (_, link) = text(&invitation["link"]).rsplit_once('/').unwrap();
        self.put("link", link);
        let delivery = self.refused_delivery(id, &owner).await;
        self.put("delivery", delivery);
        self.put("nobody", uuid::Uuid::now_v7().to_string());
    }

    async fn site(&self, slug: &str) -> Value {
        let new = json!({"team_id": self.things["team"], "name": slug, "slug": slug, "source": {"template": "static"}});
        let (status, site) = self.app.post("/api/v1/sites", Some(self.owner()), &new).await;
        assert_eq!(status, 201, "{site}");
        site
    }

    /// A webhook with a wrong signature, as the inbox keeps it.
    async fn refused_delivery(&self, site: &str, owner: &str) -> String {
        let request = self.app.client.post(format!("{}/webhook/customer-site/{site}", self.app.url));
        let request = request.header("x-github-event", "push").header("x-hub-signature-256", "sha256=00");
        assert_eq!(json(request.body("{}").send().await.unwrap()).await.0, 401);
        let path = format!("/api/v1/deliveries?site_id={site}");
        until("the refused webhook stands in the inbox", async || {
            let (_, list) = self.app.get(&path, Some(owner)).await;
            list["items"][0]["id"].as_str().map(str::to_owned)
        })
        .await
    }

    async fn make_tokens(&mut self) {
        let make = async |body: Value| {
            let (status, made) = self.app.post("/api/v1/tokens", Some(self.owner()), &body).await;
            assert_eq!(status, 201, "{made}");
            text(&made["token"]).to_owned()
        };
        let team = &self.things["team"];
        let mut tokens = BTreeMap::new();
        for scope in SCOPES {
            tokens.insert(scope, make(json!({"name": scope, "team_id": team, "scopes": [scope]})).await);
        }
        tokens.insert("all", make(json!({"name": "all", "team_id": team, "scopes": SCOPES})).await);
        let site = &self.things["elsewhere"];
        tokens.insert("elsewhere", make(json!({"name": "x", "site_id": site, "scopes": SCOPES})).await);
        // Good for nothing in a team; only administrators are given one.
        tokens.insert("none", make(json!({"name": "none", "team_id": team, "scopes": ["deploy"]})).await);
        let change = sqlx::query("update api_tokens set scopes = array['metrics'] where name = 'none'");
        assert_eq!(change.execute(&self.app.pool()).await.unwrap().rows_affected(), 1);
        self.tokens = tokens;
    }

    /// The scope that a way takes; `None`: no token is good enough, or every one is.
    pub fn scope(&self, way: &str) -> Option<&'static str> {
        let asked = match way {
            _ if way.starts_with("socket") || way.ends_with("git-upload-pack") || way.ends_with("info/refs") => {
                Some("sites:read")
            }
            _ if way.ends_with("git-receive-pack") => Some("deploy"),
            _ => {
                let (method, path) = way.split_once(' ').unwrap();
                let it = &self.document["paths"][path][method.to_lowercase()];
                it["security"][1]["api_token"][0].as_str()
            }
        };
        asked.map(|asked| *SCOPES.iter().find(|scope| **scope == asked).expect(asked))
    }

    /// What a caller signs in with on this way; nobody with nothing.
    pub fn token(&self, caller: &str, way: &str) -> Option<&str> {
        let scope = self.scope(way);
        let name = match caller {
            "nobody" => return None,
            "scope" => scope.unwrap_or("all"),
            "without" if matches!(scope, None | Some("sites:read")) => "none",
            "without" => "sites:read",
            "elsewhere" => "elsewhere",
            person => return Some(&self.people[person].token),
        };
        Some(&self.tokens[name])
    }

    /// The text with what stands in braces filled in.
    pub fn filled(&self, text: &str) -> String {
        self.things.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}
