"""The closed lists of words that activities and their history use."""

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    """Who acts."""

    USER = "user"
    ROBOT = "robot"
    SYSTEM = "system"
    INTEGRATION = "integration"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who takes a step; `id` is a name of the configuration, or the integration's."""

    kind: ActorKind
    id: str

    @property
    def is_resource(self) -> bool:
        """Work can be assigned to users and robots (ST-3)."""
        return self.kind in (ActorKind.USER, ActorKind.ROBOT)


SYSTEM = Actor(ActorKind.SYSTEM, "system")


class StartedBy(StrEnum):
    """How an activity came into being (GL-8)."""

    WORKFLOW = "workflow"
    MANUAL = "manual"
    SELF_SERVICE = "self_service"
    ROBOTICS = "robotics"
    EMAIL = "email"
    TICKET = "ticket"
    BULK_UPLOAD = "bulk_upload"
    SCHEDULE = "schedule"
    LINKED_WORK_ITEM = "linked_work_item"


class Method(StrEnum):
    """How an activity was resolved (ST-18)."""

    WITH_CUSTOMER_RESPONSE = "with_customer_response"
    NO_CUSTOMER_RESPONSE = "no_customer_response"
    REJECTED = "rejected"
    REJECTED_AS_SPAM = "rejected_as_spam"
    REJECTED_ADDRESS_NOT_CONFIGURED = "rejected_address_not_configured"
    MERGED = "merged"
    SPLIT = "split"
    CASE_LAUNCHED = "case_launched"
    COMPLETE = "complete"
    CANCELLED = "cancelled"
    UNABLE_TO_COMPLETE = "unable_to_complete"


class Reason(StrEnum):
    """Why a status changed (ST-17)."""

    ACTION_UNABLE_TO_COMPLETE = "action_unable_to_complete"
    ALL_ACTIONS_COMPLETED = "all_relevant_actions_completed"
    ALL_SPLIT_TICKETS_COMPLETED = "all_split_tickets_completed"
    BLOCKED_BY_BUSINESS_RULE = "blocked_by_business_rule"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    FAILED = "failed"
    FEEDBACK_RECEIVED = "feedback_received"
    FEEDBACK_WINDOW_PASSED = "feedback_window_passed"
    NEW_INFORMATION_RECEIVED = "new_information_received"
    NEWLY_CREATED = "newly_created"
    ACTIONS_NOT_COMPLETED = "one_or_more_actions_not_completed_successfully"
    PREVIOUS_STEP_COMPLETED = "previous_step_completed"
    REOPENED_BY_RESOURCE = "reopened_by_resource"
    REWORK = "rework"
    SCHEDULE_REACHED = "schedule_date_and_time_reached"
    SUB_CASE_COMPLETED = "sub_case_completed"
    SUB_CASE_CANCELLED = "sub_case_cancelled"
    SUB_CASE_NOT_YET_STARTED = "sub_case_not_yet_started"
    TIMEOUT = "timeout"
    UNKNOWN = "unknown"
    UPDATED_BY_SYSTEM = "updated_by_system"
    UPDATED_BY_SYSTEM_END_CASE = "updated_by_system_end_case_action_reached"
    UPDATED_BY_INTEGRATION = "updated_by_integration"
    UPDATED_BY_RESOURCE = "updated_by_resource"
    UPDATED_BY_SUPPORT_TEAM = "updated_by_support_team"


REASON_BY_ACTOR = {
    ActorKind.USER: Reason.UPDATED_BY_RESOURCE,
    ActorKind.ROBOT: Reason.UPDATED_BY_RESOURCE,
    ActorKind.SYSTEM: Reason.UPDATED_BY_SYSTEM,
    ActorKind.INTEGRATION: Reason.UPDATED_BY_INTEGRATION,
}


class Purpose(StrEnum):
    """What an outgoing mail is for (NT-1)."""

    ACKNOWLEDGEMENT = "acknowledgement"
    NO_RESPONSE = "no_response"
    SPLIT = "split"
    CASE_LAUNCHED = "case_launched"
    ACTION = "action"
    APPROVAL = "approval"
    REPLY = "reply"


class Outcome(StrEnum):
    """What became of a mail that was asked of notify."""

    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    REFUSED = "refused"


class CallOutcome(StrEnum):
    """What a connector says of a call to an external system (A23)."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNREACHABLE = "unreachable"


class MatchedBy(StrEnum):
    """What brought a mail to its activity (IN-1, IN-14): itself, or what it is one with."""

    IN_REPLY_TO = "in_reply_to"
    SIGNED_ADDRESS = "signed_address"
    BARE_ADDRESS = "bare_address"
    OPEN_PARENT = "open_parent"
    MERGED = "merged"
    SPLIT = "split"
    CONVERTED = "converted"


class Review(StrEnum):
    """Why somebody should look at how a mail came here (AMB-11)."""

    OTHER_REFERENCE_THAN_ANSWERED = "other_reference_than_answered"


class Tag(StrEnum):
    """What a contact is to an activity (CT-2)."""

    PRIMARY_CONTACT = "primary_contact"
    ORIGINAL_REQUESTER = "original_requester"
    REQUESTER = "requester"
    SUBJECT = "subject"
    CC = "cc"
