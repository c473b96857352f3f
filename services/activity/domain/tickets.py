"""The Ticket's transition table (section 3 of the catalogue). What has no row here is refused (T38).

Read a row as: from these states, by this step, to that state. What a row may say is told in
`transitions.py`; the change of status, wait, timer and holders is `decide.py`'s, the same for every row.
"""

from typing import Any

from services.activity.domain.common_rows import carrying, communicating
from services.activity.domain.effects import (
    acknowledge,
    acknowledge_sender,
    append_mail,
    edit,
    flag_new_information,
    hand_again,
    keep,
    keep_feedback,
    keep_if_said,
    mark_rejected,
    mark_stuck,
    note_to_assignee,
    read_information,
    recategorise,
    report_delivery,
    request_reply,
    set_due_date,
    tell_no_response,
    write_from_mail,
)
from services.activity.domain.family_effects import (
    carry_departures,
    carry_links,
    continue_thread,
    flag_thread,
    point_to_case,
    point_to_parts,
    point_to_source,
    point_to_target,
    tell_case_launched,
    tell_split,
)
from services.activity.domain.family_guards import into_another_that_runs, whole
from services.activity.domain.family_steps import (
    CaseClosed,
    Convert,
    MergeInto,
    PartsClosed,
    Split,
    SplitOff,
    TakeOver,
)
from services.activity.domain.file_effects import bring_files
from services.activity.domain.guards import (
    by_a_person_if_marked,
    by_a_resource,
    chosen_by_users,
    closes_without_response,
    complete,
    days_given,
    due_date_can_be_set,
    due_date_given,
    feedback_window,
    for_whom_it_is,
    free_to_take,
    had_by_the_actor,
    handed_too_often,
    held_by_nobody_else,
    in_the_future,
    known_category,
    known_wait_reason,
    leaves_asleep,
    no_feedback_window,
    nothing_written,
    opened_with_due_date,
    rated,
    rejected_sender,
    resolution_lost,
    resolution_written,
    resumes_to,
    startable,
    stays_open,
    take_over_confirmed,
    taken_by_a_resource,
    validated,
    worked_on_by_this_robot,
)
from services.activity.domain.holders import (
    nobody,
    the_actor,
    the_assigned,
    the_keeper,
    the_next_in_category,
    the_owner_or_keeper,
    the_same,
)
from services.activity.domain.link_effects import (
    copy_communications,
)
from services.activity.domain.opening_effects import open_it, open_to_reject
from services.activity.domain.states import RUNNING, WAITING, WAITING_FOR_OTHERS, State
from services.activity.domain.steps import (
    Assign,
    CreatedByIntegration,
    Edit,
    MailArrived,
    MailReported,
    MailRouted,
    PickUp,
    RejectAsSpam,
    Reopen,
    Resolve,
    Resume,
    ResumeTo,
    SendMail,
    SetToDo,
    StartManually,
    Submit,
    TimerDue,
    WaitForMoreInformation,
    WaitUntil,
)
from services.activity.domain.transitions import Transition
from services.activity.domain.vocabulary import Method, Reason
from services.activity.domain.work_steps import (
    GiveFeedback,
    KeepWithMe,
    RejectWork,
    SendAndResolve,
    SetDueDate,
    TakeNext,
)

NEW, DRAFT, TO_DO = State.NEW, State.DRAFT, State.TO_DO
IN_PROGRESS, RESOLVED, CLOSED = State.IN_PROGRESS, State.RESOLVED, State.CLOSED
WAIT_MORE_INFO, WAIT_UNTIL, WAIT_SPLIT = State.WAIT_MORE_INFO, State.WAIT_UNTIL, State.WAIT_SPLIT
WAIT_CASE_LAUNCHED = State.WAIT_CASE_LAUNCHED
ACTIVE = (TO_DO, IN_PROGRESS)
FINISHABLE = (*ACTIVE, *WAITING)
OPEN = (DRAFT, *FINISHABLE, *WAITING_FOR_OTHERS, RESOLVED)

HANDED_ON = (continue_thread, carry_departures, bring_files)  # by what it continues, or was one with

# fmt: off
TICKET: tuple[Transition[Any], ...] = (
    # It begins
    Transition("T1", NEW, StartManually, to=DRAFT, guards=(startable,),
               checks=(known_category, opened_with_due_date),
               effects=(open_it, copy_communications, bring_files), person=the_actor),
    Transition("T22", NEW, MailRouted, to=CLOSED, when=rejected_sender, effects=(open_to_reject, *HANDED_ON),
               person=nobody, reason=Reason.BLOCKED_BY_BUSINESS_RULE, method=Method.REJECTED_AS_SPAM),
    Transition("T2", NEW, MailRouted, to=TO_DO, effects=(open_it, *HANDED_ON, acknowledge_sender)),
    Transition("T3", NEW, CreatedByIntegration, to=TO_DO,
               checks=(known_category, validated, opened_with_due_date),
               effects=(open_it, copy_communications, bring_files, acknowledge)),
    Transition("T4", DRAFT, SendMail, when=nothing_written, person=the_same,
               effects=(request_reply, write_from_mail)),
    Transition("T5", DRAFT, Submit, to=TO_DO, guards=(complete,), effects=(keep_if_said, acknowledge),
               person=the_keeper),
    Transition("T6", DRAFT, Resolve, to=RESOLVED, when=feedback_window,
               guards=(complete, resolution_written), checks=(chosen_by_users, known_category),
               effects=(recategorise, read_information), reason=Reason.COMPLETED),
    Transition("T6", DRAFT, Resolve, to=CLOSED, when=no_feedback_window,
               guards=(complete, resolution_written), checks=(chosen_by_users, known_category),
               effects=(recategorise, read_information), reason=Reason.COMPLETED),

    # It is worked on
    Transition("T7", TO_DO, PickUp, to=IN_PROGRESS, guards=(taken_by_a_resource,), person=the_actor),
    Transition("T7", TO_DO, TakeNext, to=IN_PROGRESS, guards=(taken_by_a_resource, free_to_take),
               person=the_actor),
    Transition("T7", TO_DO, Edit, to=IN_PROGRESS, when=by_a_resource, guards=(by_a_person_if_marked,),
               checks=(known_category,), effects=(edit,), person=the_actor),
    Transition("T8", IN_PROGRESS, Assign, to=TO_DO, checks=(for_whom_it_is,), effects=(note_to_assignee,),
               person=the_assigned),
    Transition("T9", IN_PROGRESS, SetToDo, to=TO_DO, guards=(held_by_nobody_else,)),
    Transition("T10", IN_PROGRESS, RejectWork, to=TO_DO, guards=(worked_on_by_this_robot,),
               effects=(mark_rejected,), person=nobody),
    Transition("T37", (DRAFT, *FINISHABLE, *WAITING_FOR_OTHERS), Edit, guards=(held_by_nobody_else,),
               checks=(known_category,), effects=(edit,), person=the_next_in_category),
    # Who plans work does not take it: no update in the sense of ST-5, and nobody's claim (ST-20).
    Transition("SL-1", (DRAFT, *FINISHABLE), SetDueDate, guards=(held_by_nobody_else, due_date_can_be_set),
               checks=(due_date_given,), effects=(set_due_date,), person=the_same),
    Transition("ST-20", OPEN, KeepWithMe, guards=(had_by_the_actor,), effects=(keep,), person=the_same),
    Transition("ST-21", (DRAFT, TO_DO), Assign, checks=(for_whom_it_is,), effects=(note_to_assignee,),
               person=the_assigned),
    Transition("ST-23", IN_PROGRESS, PickUp, guards=(taken_by_a_resource,), checks=(take_over_confirmed,),
               person=the_actor),
    Transition("ST-24", IN_PROGRESS, TakeNext, to=TO_DO, when=handed_too_often,
               guards=(worked_on_by_this_robot,), effects=(mark_stuck,), person=nobody),
    Transition("ST-24", IN_PROGRESS, TakeNext, guards=(worked_on_by_this_robot,), effects=(hand_again,),
               person=the_same),
    Transition("AMB-18", (*WAITING, *WAITING_FOR_OTHERS, RESOLVED), Assign, checks=(for_whom_it_is,),
               effects=(note_to_assignee,), person=the_assigned),

    # It waits
    Transition("T11", ACTIVE, WaitForMoreInformation, to=WAIT_MORE_INFO, guards=(held_by_nobody_else,),
               checks=(days_given, known_wait_reason, known_category),
               effects=(recategorise, read_information)),
    Transition("T12", ACTIVE, WaitUntil, to=WAIT_UNTIL, guards=(held_by_nobody_else,),
               checks=(in_the_future, known_wait_reason, known_category),
               effects=(recategorise, read_information)),
    Transition("T14", WAIT_MORE_INFO, TimerDue, to=TO_DO, when=stays_open, reason=Reason.TIMEOUT),
    Transition("T15", WAIT_MORE_INFO, TimerDue, to=CLOSED, when=closes_without_response,
               effects=(tell_no_response,), reason=Reason.TIMEOUT, method=Method.NO_CUSTOMER_RESPONSE),
    Transition("T16", WAIT_UNTIL, TimerDue, to=TO_DO, reason=Reason.SCHEDULE_REACHED),
    Transition("T17b", WAITING, Resume, to=TO_DO, when=resumes_to(ResumeTo.TO_DO),
               guards=(by_a_person_if_marked,)),
    Transition("T17b", WAITING, Resume, to=IN_PROGRESS, when=resumes_to(ResumeTo.IN_PROGRESS),
               guards=(by_a_person_if_marked,), person=the_actor),
    Transition("ST-20", WAITING, WaitForMoreInformation, to=WAIT_MORE_INFO,
               checks=(days_given, known_wait_reason, known_category),
               effects=(recategorise, read_information)),
    Transition("ST-20", WAITING, WaitUntil, to=WAIT_UNTIL,
               checks=(in_the_future, known_wait_reason, known_category),
               effects=(recategorise, read_information)),

    # It is resolved, and comes back or is closed
    Transition("T18", FINISHABLE, Resolve, to=RESOLVED, when=feedback_window,
               guards=(held_by_nobody_else, resolution_written), checks=(chosen_by_users, known_category),
               effects=(recategorise, read_information), reason=Reason.COMPLETED),
    Transition("T19", FINISHABLE, Resolve, to=CLOSED, when=no_feedback_window,
               guards=(held_by_nobody_else, resolution_written), checks=(chosen_by_users, known_category),
               effects=(recategorise, read_information), reason=Reason.COMPLETED),
    Transition("T20", FINISHABLE, SendAndResolve, to=RESOLVED, when=feedback_window,
               guards=(held_by_nobody_else,), checks=(chosen_by_users, known_category),
               effects=(request_reply, recategorise, read_information), reason=Reason.COMPLETED),
    Transition("T20", FINISHABLE, SendAndResolve, to=CLOSED, when=no_feedback_window,
               guards=(held_by_nobody_else,), checks=(chosen_by_users, known_category),
               effects=(request_reply, recategorise, read_information), reason=Reason.COMPLETED),
    Transition("T20", RESOLVED, MailReported, to=TO_DO, when=resolution_lost,
               effects=(report_delivery, flag_new_information), reason=Reason.FAILED),
    Transition("T21", ACTIVE, RejectAsSpam, to=CLOSED, guards=(held_by_nobody_else,),
               effects=(read_information,), method=Method.REJECTED_AS_SPAM),
    Transition("T24", RESOLVED, GiveFeedback, to=TO_DO, checks=(rated,),
               effects=(keep_feedback, flag_new_information), reason=Reason.FEEDBACK_RECEIVED),
    Transition("T25", RESOLVED, Reopen, to=TO_DO, guards=(by_a_person_if_marked,),
               effects=(keep_if_said,), person=the_owner_or_keeper, reason=Reason.REOPENED_BY_RESOURCE),
    Transition("T26", RESOLVED, TimerDue, to=CLOSED, reason=Reason.FEEDBACK_WINDOW_PASSED),

    # It is split, and ends with its parts
    Transition("T27", ACTIVE, Split, to=WAIT_SPLIT, guards=(held_by_nobody_else,), checks=(whole,),
               effects=(read_information, point_to_parts, tell_split)),
    Transition("T27", NEW, SplitOff, to=TO_DO, effects=(open_it, *HANDED_ON)),
    Transition("T28", WAIT_SPLIT, PartsClosed, to=CLOSED, effects=(read_information,),
               reason=Reason.ALL_SPLIT_TICKETS_COMPLETED, method=Method.SPLIT),

    # It goes on as a Case, and ends with it. A mail for it goes to the Case, which is matching.py's (T32).
    Transition("T30", ACTIVE, Convert, to=WAIT_CASE_LAUNCHED, guards=(held_by_nobody_else,),
               effects=(read_information, point_to_case, tell_case_launched)),
    Transition("T31", WAIT_CASE_LAUNCHED, CaseClosed, to=CLOSED, effects=(read_information,),
               reason=Reason.UPDATED_BY_SYSTEM, method=Method.CASE_LAUNCHED),

    # It is merged. What is merged is closed and its target runs, so that no chain of merges comes back.
    Transition("T33", RUNNING, MergeInto, to=CLOSED, guards=(held_by_nobody_else,),
               checks=(into_another_that_runs,), effects=(read_information, point_to_target),
               method=Method.MERGED),
    Transition("T34", RUNNING, TakeOver,
               effects=(point_to_source, continue_thread, carry_departures, carry_links, bring_files,
                        flag_thread), person=the_same),

    # A mail comes in (section 6.3). T35, a mail for what is closed, is matching.py's.
    Transition("AMB-39", WAIT_MORE_INFO, MailArrived, when=leaves_asleep,
               effects=(append_mail, flag_new_information)),
    Transition("T13", WAIT_MORE_INFO, MailArrived, to=TO_DO, effects=(append_mail, flag_new_information),
               reason=Reason.NEW_INFORMATION_RECEIVED),
    Transition("T17", WAIT_UNTIL, MailArrived, effects=(append_mail, flag_new_information)),
    Transition("T29", WAIT_SPLIT, MailArrived, effects=(append_mail,), person=the_same),
    Transition("T23", RESOLVED, MailArrived, to=TO_DO, effects=(append_mail, flag_new_information),
               reason=Reason.NEW_INFORMATION_RECEIVED),
    Transition("T36", (DRAFT, *ACTIVE), MailArrived, effects=(append_mail, flag_new_information)),

    # Whatever its status
    *communicating(OPEN),
    *carrying(OPEN),
    Transition("FB-1", FINISHABLE, GiveFeedback, checks=(rated,),
               effects=(keep_feedback, flag_new_information), person=the_same),
    # What a customer thinks of it is written down also after T15.
    Transition("FB-1", CLOSED, GiveFeedback, checks=(rated,), effects=(keep_feedback,), person=the_same),
)
# fmt: on
