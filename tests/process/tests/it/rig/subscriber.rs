//! A client of a streaming subscription.

use futures_util::stream;
use outrigger_wire_proto::runtime::{
    SubscribeTopicEventsRequestAlpha1 as Question, SubscribeTopicEventsRequestInitialAlpha1 as Initial,
    SubscribeTopicEventsRequestProcessedAlpha1 as Processed, SubscribeTopicEventsResponseAlpha1 as Answer,
    TopicEventRequest, TopicEventResponse, dapr_client::DaprClient,
    subscribe_topic_events_request_alpha1::SubscribeTopicEventsRequestType as Asked,
    subscribe_topic_events_response_alpha1::SubscribeTopicEventsResponseType as Told,
};
use tokio::{sync::mpsc, time::timeout};
use tonic::{Status, Streaming};

use super::{PATIENCE, Sidecar, grpc::channel};

/// An open stream, on a connection of its own. Dropping it is how an app dies: without a word.
#[derive(Debug)]
pub(crate) struct Subscriber {
    questions: mpsc::Sender<Question>,
    answers: Streaming<Answer>,
}

impl Subscriber {
    /// Opens a stream; it stands when this returns.
    pub(crate) async fn open(sidecar: &Sidecar, pubsub: &str, topic: &str) -> Result<Self, Status> {
        let (questions, receiver) = mpsc::channel(8);
        let initial = Initial {
            pubsub_name: pubsub.to_owned(),
            topic: topic.to_owned(),
            ..Initial::default()
        };
        // The receiver is here, and there is room.
        questions.send(ask(Asked::InitialRequest(initial))).await.unwrap();
        let asked = stream::unfold(receiver, |mut receiver| async {
            receiver.recv().await.map(|question| (question, receiver))
        });
        let mut client = DaprClient::new(channel(&sidecar.place, sidecar.grpc).await);
        let answers = client.subscribe_topic_events_alpha1(asked).await?.into_inner();
        let mut this = Self { questions, answers };
        assert!(matches!(this.told().await?, Told::InitialResponse(_)));
        Ok(this)
    }

    /// The next event.
    pub(crate) async fn next(&mut self) -> TopicEventRequest {
        match timeout(PATIENCE, self.told()).await.unwrap().unwrap() {
            Told::EventMessage(event) => event,
            Told::InitialResponse(_) => panic!("the stream began twice"),
        }
    }

    /// Says that an event was taken.
    pub(crate) async fn take(&self, id: &str) {
        let done = Processed {
            id: id.to_owned(),
            status: Some(TopicEventResponse { status: 0 }),
        };
        self.questions
            .send(ask(Asked::EventProcessed(done)))
            .await
            .unwrap();
    }

    async fn told(&mut self) -> Result<Told, Status> {
        let answer = self.answers.message().await?.unwrap();
        Ok(answer.subscribe_topic_events_response_type.unwrap())
    }
}

fn ask(asked: Asked) -> Question {
    Question {
        subscribe_topic_events_request_type: Some(asked),
    }
}
