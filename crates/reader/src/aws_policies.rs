//! AWS managed policies that nobody in the account holds yet: the bulk read tells of those in use alone.

use futures_util::{StreamExt, TryStreamExt, stream};
use trueup_model::{PolicyArn, PolicyDocument};

use crate::{
    CONCURRENCY, During, ReadError, Reader,
    convert::{document, required},
};

impl Reader {
    /// The documents in force of these policies; `None`: AWS has no such policy. Takes two calls a policy.
    pub(crate) async fn aws_policies(
        &self,
        arns: Vec<PolicyArn>,
    ) -> Result<Vec<(PolicyArn, Option<PolicyDocument>)>, ReadError> {
        stream::iter(arns)
            .map(|arn| async move {
                let document = self.aws_policy(&arn).await?;
                Ok((arn, document))
            })
            .buffered(CONCURRENCY)
            .try_collect()
            .await
    }

    async fn aws_policy(&self, arn: &PolicyArn) -> Result<Option<PolicyDocument>, ReadError> {
        let during = During::iam("GetPolicy").of(arn);
        let call = self.api.get_policy().policy_arn(arn.as_str());
        let Some(answer) = self.answer_if_any(&during, call.send()).await? else {
            return Ok(None);
        };
        let policy = required(&during, "Policy", answer.policy)?;
        let version = required(&during, "DefaultVersionId", policy.default_version_id)?;

        let during = During::iam("GetPolicyVersion").of(arn);
        let call = self
            .api
            .get_policy_version()
            .policy_arn(arn.as_str())
            .version_id(version);
        let answer = self.answer(&during, call.send()).await?;
        let version = required(&during, "PolicyVersion", answer.policy_version)?;
        let text = required(&during, "Document", version.document)?;
        Ok(Some(document(&text)))
    }
}
