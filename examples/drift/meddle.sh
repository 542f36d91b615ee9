#!/bin/sh
# What people do by hand: twelve differences, made with the AWS command line against the served sandbox.
# usage: meddle.sh ACCOUNT_FILE
set -eu

log=$(mktemp)
trueup sandbox serve --live "sandbox:$1" --port 0 >"$log" &
server=$!
trap 'kill $server; rm -f "$log"' EXIT
until grep -q listening "$log"; do sleep 0.1; done
endpoint=$(grep -o 'http://.*' "$log")

# The sandbox takes any key.
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1
iam() { aws --endpoint-url "$endpoint" iam "$@" >/dev/null; }
statement() {
    printf '{"Version":"2012-10-17","Statement":[{"Sid":"%s","Effect":"%s","Action":%s,"Resource":"*"}]}' "$1" "$2" "$3"
}

# 1. a user whom nobody knows, 2. and a group
iam create-user --user-name mallory
iam create-group --group-name shadow
# 3. a user deleted
iam remove-user-from-group --group-name developers --user-name dave
iam delete-user --user-name dave
# 4. a policy attached, 5. and an inline policy added
iam attach-user-policy --user-name bob --policy-arn arn:aws:iam::aws:policy/AdministratorAccess
iam put-user-policy --user-name carol --policy-name temporary --policy-document "$(statement Temporary Allow '"iam:*"')"
# 6. a deny weakened, 7. and a managed policy widened
iam put-group-policy --group-name developers --policy-name hands-off-the-trail \
    --policy-document "$(statement HandsOff Deny '"cloudtrail:DeleteTrail"')"
iam create-policy-version --policy-arn arn:aws:iam::123456789012:policy/reports --set-as-default \
    --policy-document "$(statement Read Allow '["s3:GetObject","s3:ListBucket","s3:PutObject"]')"
# 8. one membership more, 9. and one less
iam add-user-to-group --group-name administrators --user-name bob
iam remove-user-from-group --group-name developers --user-name carol
# 10. a tag, 11. the password policy, 12. the alias
iam tag-user --user-name alice --tags Key=owner,Value=mallory@example.com
iam update-account-password-policy --minimum-password-length 8
iam create-account-alias --account-alias acme-hijacked
