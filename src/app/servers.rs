//! Servers and Environments: declared, withdrawn.

use super::committer::{Done, Refused};
use super::coupling::coupling;
use super::decide::{Answer, Command, DeleteServer, PutEnvironment, PutServer, Refusal};
use super::start::refused;
use super::{App, AppError, new_component};
use crate::model::{ComponentRow, Coupling, FirstDeployment, Name, ServerDeclaration};

impl App {
    /// Declares a Server; true where it was not there before.
    ///
    /// # Errors
    /// [`AppError::ServerInUse`] where it would move away from under its couplings.
    pub async fn put_server(
        &self,
        declaration: ServerDeclaration,
        actor: Option<String>,
    ) -> Result<(ComponentRow, bool), AppError> {
        let name = declaration.name.clone();
        let command = PutServer { declaration, component: new_component(), actor };
        match self.committer.commit(Command::PutServer(Box::new(command))).await {
            Ok(Done { answer: Answer::ServerPut { row, is_new }, .. }) => Ok((*row, is_new)),
            Ok(_) => Err(AppError::Internal("a declaration was answered as something else".to_owned())),
            Err(Refused { refusal: Refusal::ServerInUse, .. }) => {
                Err(AppError::ServerInUse(self.couplings_on_server(&name)))
            }
            Err(Refused { refusal, .. }) => Err(refused(refusal)),
        }
    }

    /// Withdraws a Server, and lists the couplings that this breaks.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where there is none.
    pub async fn delete_server(&self, name: Name, actor: Option<String>) -> Result<Vec<Coupling>, AppError> {
        match self.committer.commit(Command::DeleteServer(DeleteServer { name: name.clone(), actor })).await {
            Ok(Done { answer: Answer::ServerDeleted(deleted), .. }) => Ok(deleted.broken),
            Ok(_) => Err(AppError::Internal("a withdrawal was answered as something else".to_owned())),
            Err(Refused { refusal: Refusal::NoServer, .. }) => Err(self.no_server(name.as_str())),
            Err(Refused { refusal, .. }) => Err(refused(refusal)),
        }
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
        match self.committer.commit(Command::PutEnvironment(PutEnvironment { name, first_deployment, actor })).await {
            Ok(Done { answer: Answer::EnvironmentPut { is_new }, .. }) => Ok(is_new),
            Ok(_) => Err(AppError::Internal("a policy was answered as something else".to_owned())),
            Err(Refused { refusal, .. }) => Err(refused(refusal)),
        }
    }

    fn couplings_on_server(&self, name: &Name) -> Vec<Coupling> {
        let catalog = self.catalog();
        let server = catalog.server(name.as_str());
        let consumers = server.map(|server| catalog.couplings_on(server.id())).unwrap_or_default();
        consumers.iter().map(|consumer| coupling(consumer, false)).collect()
    }
}
