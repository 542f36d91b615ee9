//! The small pools that accounts and manifests draw their names from, so that the two overlap.

/// Users: plain, odd, and as long as IAM allows.
pub const USERS: [&str; 10] = [
    "alice",
    "bob",
    "carol",
    "dave",
    "erin",
    "frank",
    "a.b-c_d+e=f,g@h",
    "0",
    "legacy-grace",
    "uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu",
];

/// Groups. The first are for small accounts; all of them are more than one user can be in.
pub const GROUPS: [&str; 13] = [
    "administrators",
    "developers",
    "operators",
    "auditors",
    "g=1,2@x+y",
    "tf-deploy",
    "gggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggg",
    "g08",
    "g09",
    "g10",
    "g11",
    "g12",
    "g13",
];

/// Customer managed policies.
pub const POLICIES: [&str; 9] = [
    "baseline",
    "reports",
    "team-boundary",
    "no-delete",
    "p+=,.@-_",
    "tf-state",
    "p07",
    "p08",
    "p09",
];

/// Inline policies.
pub const INLINE: [&str; 4] = ["work", "limits", "Odd.Name+1", "emergency"];

/// AWS managed policies whose documents have no conditions.
pub const AWS: [&str; 6] = [
    "arn:aws:iam::aws:policy/AdministratorAccess",
    "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
    "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess",
    "arn:aws:iam::aws:policy/AWSDenyAll",
    "arn:aws:iam::aws:policy/AmazonSQSFullAccess",
    "arn:aws:iam::aws:policy/IAMUserChangePassword",
];

/// Paths of users and groups.
pub const PATHS: [&str; 4] = ["/", "/platform/", "/platform/deep/", "/payroll/"];

/// Tag keys that a manifest may declare. Two of them are one and the same for users.
pub const TAG_KEYS: [&str; 6] = ["owner", "Team", "team", "größe", "名前 key", "cost:center"];

/// Tag keys that are never compared, or only sometimes.
pub const SPECIAL_TAG_KEYS: [&str; 3] = ["CostCenter", "trueup:note", "AKIAIOSFODNN7EXAMPLE"];

/// Tag values.
pub const TAG_VALUES: [&str; 6] = ["red", "blue", "", "日本 語", "a@b.example/x=y+z", "terraform"];
