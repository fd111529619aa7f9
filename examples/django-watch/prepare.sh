#!/bin/sh
# What the article takes for granted, on Debian: the site of nginx, the application's database, and its role. As root, in
# this folder, once: apt install nginx-light postgresql redis-server logrotate, then this.
set -eu
cp "$(dirname "$0")/nginx.conf" /etc/nginx/sites-enabled/default
systemctl restart nginx.service redis-server.service postgresql.service
# The role has the name of the account: PostgreSQL asks the kernel who it is, and there is no password.
runuser -u postgres -- psql --quiet --command "CREATE ROLE reports LOGIN"
runuser -u postgres -- createdb --owner reports reports
