//! The Dockerfiles that are made for known projects: on the one base image, without root, and with the same package
//! lines as the templates, so that their layers are shared. The project's own files come as late as they can: each
//! instruction behind them costs time with every push.

use super::known::PORT;
use std::fmt::Write;

const BASE: &str = "debian:bookworm-slim";
/// Debian's user for web servers: there in every image, and nobody's login.
const USER: &str = "www-data";

/// The layer with Debian packages; its words are its key in the build cache.
fn packages(names: &str) -> String {
    format!(
        "RUN apt-get update \\\n && apt-get install -y --no-install-recommends {names} \\\n && rm -rf /var/lib/apt/lists/*\n"
    )
}

/// Writes a file from lines that hold no single quote; the classic builder has no here-documents.
fn write_file(path: &str, lines: &str) -> String {
    let quoted: Vec<String> = lines.lines().map(|line| format!("    '{line}'")).collect();
    format!("RUN printf '%s\\n' \\\n{} \\\n    >{path}\n", quoted.join(" \\\n"))
}

fn json(words: &[impl AsRef<str>]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    serde_json::Value::from(words).to_string()
}

/// `nginx.conf` for a folder of pages. Times of files are those of a build and cannot tell two versions apart, so
/// browsers are asked to come back each time.
fn nginx(fallback: &str) -> String {
    format!(
        "daemon off;
worker_processes 1;
pid /tmp/nginx.pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
  include mime.types;
  default_type application/octet-stream;
  charset utf-8;
  sendfile on;
  server_tokens off;
  gzip on;
  gzip_vary on;
  gzip_proxied any;
  gzip_types text/css text/plain text/xml text/javascript application/javascript application/json image/svg+xml;
  client_body_temp_path /tmp/body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;
  access_log /dev/stdout;
  etag off;
  if_modified_since off;
  server {{
    listen {PORT};
    root /srv/www;
    index index.html;
    absolute_redirect off;
    error_page 404 /404.html;
    add_header Last-Modified \"\";
    add_header Cache-Control no-cache;
    add_header X-Content-Type-Options nosniff;
    location ~ /[.](?!well-known/) {{ return 404; }}
    location = /webmeteor.toml {{ return 404; }}
    location / {{ try_files $uri $uri.html $uri/ {fallback}; }}
  }}
}}"
    )
}

/// The last stage of everything that nginx serves.
fn nginx_stage(fallback: &str, copy: &str) -> String {
    format!(
        "FROM {BASE}\n\n{}\n{}\nUSER {USER}\nEXPOSE {PORT}\nSTOPSIGNAL SIGQUIT\nCMD [\"nginx\"]\n\n{copy}\n",
        packages("nginx"),
        write_file("/etc/nginx/nginx.conf", &nginx(fallback))
    )
}

/// Pages as they are.
pub(super) fn pages() -> String {
    nginx_stage("=404", "COPY . /srv/www")
}

/// Installs what `package.json` asks for; a change of the project's own files does not repeat it.
fn npm_install(locked: bool) -> &'static str {
    if locked {
        "COPY package.json package-lock.json ./\nRUN npm ci --no-audit --no-fund\n"
    } else {
        "COPY package.json ./\nRUN npm install --no-audit --no-fund\n"
    }
}

/// Pages that npm builds; unknown paths get the first page, as programs in the browser want it.
pub(super) fn node_pages(locked: bool) -> String {
    format!(
        "FROM {BASE} AS build\n\n{}\nWORKDIR /app\n{}COPY . ./\nRUN npm run build\n\
         RUN for folder in dist build out; do \\\n      if [ -f \"$folder/index.html\" ]; then mv \"$folder\" /srv/pages; exit 0; fi; \\\n    done; \\\n    \
         echo \"npm run build left no index.html in dist, build or out\" >&2; exit 1\n\n{}",
        packages("ca-certificates nodejs npm"),
        npm_install(locked),
        nginx_stage("/index.html", "COPY --from=build /srv/pages /srv/www")
    )
}

/// A program of Node.
pub(super) fn node(locked: bool, build: bool, start: &[&str]) -> String {
    let runs = format!("ENV NODE_ENV=production PORT={PORT} HOME=/tmp NPM_CONFIG_UPDATE_NOTIFIER=false\nUSER {USER}\n");
    // What builds it is not there in production.
    let last = if build { format!("COPY . ./\nRUN npm run build\n{runs}") } else { format!("{runs}COPY . ./\n") };
    format!(
        "FROM {BASE}\n\n{}\nWORKDIR /app\nEXPOSE {PORT}\nCMD {}\n{}\n{last}",
        packages("ca-certificates nodejs npm"),
        json(start),
        npm_install(locked)
    )
}

/// A program of PHP under Apache, which reads `.htaccess` files and gives unknown paths to `index.php`.
pub(super) fn php(composer: bool, root: &str) -> String {
    let apache = format!(
        "ServerRoot /usr/lib/apache2
ServerName localhost
Listen {PORT}
PidFile /tmp/apache2.pid
DefaultRuntimeDir /tmp
Mutex pthread
LoadModule mpm_prefork_module modules/mod_mpm_prefork.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule dir_module modules/mod_dir.so
LoadModule mime_module modules/mod_mime.so
LoadModule env_module modules/mod_env.so
LoadModule setenvif_module modules/mod_setenvif.so
LoadModule headers_module modules/mod_headers.so
LoadModule deflate_module modules/mod_deflate.so
LoadModule filter_module modules/mod_filter.so
LoadModule rewrite_module modules/mod_rewrite.so
LoadModule php_module modules/libphp8.2.so
StartServers 2
MinSpareServers 1
MaxSpareServers 4
MaxRequestWorkers 16
KeepAlive Off
ServerTokens Prod
ServerSignature Off
ErrorLog /dev/stderr
LogFormat \"%{{X-Forwarded-For}}i \\\"%r\\\" %>s %B %Dus\" request
CustomLog /dev/stdout request
TypesConfig /dev/null
AddType text/html .html
AddType text/css .css
AddType text/plain .txt
AddType text/javascript .js .mjs
AddType application/json .json
AddType image/svg+xml .svg
AddType image/png .png
AddType image/jpeg .jpg .jpeg
AddType image/webp .webp
AddType image/gif .gif
AddType image/x-icon .ico
AddType font/woff2 .woff2
AddDefaultCharset utf-8
AddOutputFilterByType DEFLATE text/html text/css text/plain text/javascript application/json image/svg+xml
DirectoryIndex index.php index.html
DocumentRoot {root}
<Directory />
  AllowOverride None
  Require all denied
</Directory>
<Directory {root}>
  AllowOverride All
  Options FollowSymLinks
  Require all granted
  FallbackResource /index.php
</Directory>
<FilesMatch \"[.]php$\">
  SetHandler application/x-httpd-php
</FilesMatch>
<LocationMatch \"/([.](?!well-known/)|webmeteor[.]toml$|composer[.](json|lock)$)\">
  Require all denied
</LocationMatch>"
    );
    let mut text = format!("FROM {BASE}\n\n{}", packages("apache2-bin libapache2-mod-php8.2 php8.2-pgsql"));
    if composer {
        text.push_str(&packages(
            "ca-certificates composer unzip php8.2-curl php8.2-intl php8.2-mbstring php8.2-xml php8.2-zip",
        ));
    }
    let _ = write!(
        text,
        "\n{}\nWORKDIR /srv/app\nEXPOSE {PORT}\nSTOPSIGNAL SIGWINCH\nCMD [\"apache2\", \"-f\", \"/etc/apache2/httpd.conf\", \"-DFOREGROUND\"]\n\n",
        write_file("/etc/apache2/httpd.conf", &apache)
    );
    let copy = format!("COPY --chown={USER}:{USER} . ./\n");
    if composer {
        text.push_str(&copy);
        text.push_str(
            "RUN COMPOSER_ALLOW_SUPERUSER=1 composer install --no-dev --no-interaction --no-progress --optimize-autoloader\n",
        );
    }
    let _ = writeln!(text, "USER {USER}");
    if !composer {
        text.push_str(&copy);
    }
    text
}

/// A program of Python in an environment of its own.
pub(super) fn python(requirements: bool, command: &[String]) -> String {
    let rest = if requirements {
        format!(
            "COPY requirements.txt ./\nRUN pip install --no-cache-dir -r requirements.txt\n\nUSER {USER}\nCOPY . ./\n"
        )
    } else {
        format!("COPY . ./\nRUN pip install --no-cache-dir .\n\nUSER {USER}\n")
    };
    format!(
        "FROM {BASE}\n\n{}\nRUN python3 -m venv /opt/venv\nENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PORT={PORT} HOME=/tmp\n\
         WORKDIR /app\nEXPOSE {PORT}\nCMD {}\n\n{rest}",
        packages("ca-certificates python3 python3-venv"),
        json(command)
    )
}

/// A program that is compiled in one stage and runs alone in the next.
fn compiled(tools: &str, build: &str, program: &str) -> String {
    format!(
        "FROM {BASE} AS build\n\n{}\nWORKDIR /app\nCOPY . ./\n{build}\n\nFROM {BASE}\n\n{}\n\
         WORKDIR /app\nENV PORT={PORT} HOME=/tmp\nUSER {USER}\nEXPOSE {PORT}\nCMD [\"/usr/local/bin/app\"]\n\n\
         COPY --from=build {program} /usr/local/bin/app\nCOPY . ./\n",
        packages(tools),
        packages("ca-certificates")
    )
}

/// A program of Rust, with Debian's compiler.
pub(super) fn rust(program: &str, locked: bool) -> String {
    let lock = if locked { " --locked" } else { "" };
    compiled(
        "ca-certificates cargo",
        &format!("RUN cargo build --release{lock} --bin {program}"),
        &format!("/app/target/release/{program}"),
    )
}

/// A program of Go, with Debian's compiler.
pub(super) fn go(package: &str) -> String {
    compiled(
        "ca-certificates golang-go",
        &format!("RUN CGO_ENABLED=0 go build -o /srv/program {package}"),
        "/srv/program",
    )
}
