//! Servers and Environments: declared, withdrawn.

use std::sync::Arc;

use super::{App, AppError, new_component};
use crate::lifecycle::{DeleteServer, DeleteServerRefusal, PutEnvironment, PutServer, PutServerRefusal, ServerPut};
use crate::model::{Coupling, FirstDeployment, Name, ServerDeclaration};

impl App {
    /// Declares a Server.
    ///
    /// # Errors
    /// [`AppError::ServerInUse`] where it would move away from under its couplings.
    pub async fn put_server(
        &self,
        declaration: ServerDeclaration,
        actor: Option<String>,
    ) -> Result<ServerPut, AppError> {
        let command = PutServer { declaration, component: new_component(), actor };
        let put = self.committer.commit(Arc::new(command)).await;
        put.map_err(|error| {
            error.into_error(|refusal| match refusal {
                PutServerRefusal::InUse(couplings) => AppError::ServerInUse(couplings),
            })
        })
    }

    /// Withdraws a Server, and lists the couplings that this breaks.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where there is none.
    pub async fn delete_server(&self, name: Name, actor: Option<String>) -> Result<Vec<Coupling>, AppError> {
        let command = DeleteServer { name: name.clone(), actor };
        let deleted = self.committer.commit(Arc::new(command)).await;
        let deleted = deleted.map_err(|error| {
            error.into_error(|refusal| match refusal {
                DeleteServerRefusal::Unknown => self.no_server(name.as_str()),
            })
        })?;
        Ok(deleted.broken)
    }

    /// Sets the policy of an Environment; true where it was not known before.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] where it cannot be recorded.
    pub async fn put_environment(
        &self,
        name: Name,
        first_deployment: Option<FirstDeployment>,
        actor: Option<String>,
    ) -> Result<bool, AppError> {
        let command = PutEnvironment { name, first_deployment, actor };
        let put = self.committer.commit(Arc::new(command)).await;
        put.map(|put| put.is_new).map_err(|error| error.into_error(|never| match never {}))
    }
}
