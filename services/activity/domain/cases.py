"""The Case's transition table (section 4 of the catalogue). What has no row here is refused (C25).

Who has a Case is its owner (ST-19). Its Actions are activities of their own (`actions.py`); what they and
their Case do to each other are steps too, taken in the same transaction.
"""

from typing import Any

from services.activity.domain.action_steps import CloseWithCase
from services.activity.domain.call_steps import TakeFields
from services.activity.domain.case_effects import (
    ask_for_attention,
    attend,
    begin_again,
    end_action,
    enter_step,
    launch,
    tell_the_way_lost,
)
from services.activity.domain.case_guards import (
    created_whole,
    described,
    failed,
    from_where_it_was,
    kept_by_a_person,
    launched_by_hand,
    needing_attention,
    nothing_running,
    reason_given,
    reworked,
    with_a_flow,
)
from services.activity.domain.case_steps import (
    Abandon,
    AnswerAction,
    Complete,
    EndAction,
    EnterStep,
    Finish,
    LaunchByHand,
    LoseWay,
    Pause,
    Rework,
    WaitForAnswer,
)
from services.activity.domain.common_rows import carrying, communicating
from services.activity.domain.effects import (
    acknowledge,
    acknowledge_sender,
    append_mail,
    edit,
    flag_new_information,
    keep,
    keep_feedback,
    keep_if_said,
    note_to_assignee,
    read_information,
    request_reply,
    set_due_date,
    write_from_mail,
)
from services.activity.domain.family_effects import (
    carry_departures,
    carry_links,
    continue_thread,
    flag_thread,
    point_to_source,
)
from services.activity.domain.family_steps import ConvertedFrom, TakeOver
from services.activity.domain.file_effects import bring_files
from services.activity.domain.guards import (
    by_a_person_if_marked,
    by_a_resource,
    due_date_can_be_set,
    due_date_given,
    feedback_window,
    for_whom_it_is,
    free_to_take,
    had_by_the_actor,
    held_by_nobody_else,
    in_the_future,
    known_category,
    known_wait_reason,
    leaves_asleep,
    no_feedback_window,
    nothing_written,
    opened_with_due_date,
    rated,
    resumes_to,
    startable,
    take_over_confirmed,
    taken_by_a_resource,
)
from services.activity.domain.holders import (
    the_actor,
    the_assigned,
    the_keeper,
    the_owner_or_keeper,
    the_same,
    the_user,
)
from services.activity.domain.link_effects import copy_communications
from services.activity.domain.opening_effects import open_it
from services.activity.domain.states import CASE_WAITING, State
from services.activity.domain.steps import (
    Assign,
    CreatedByIntegration,
    Edit,
    MailArrived,
    MailRouted,
    PickUp,
    Reopen,
    Resume,
    ResumeTo,
    SendMail,
    SetToDo,
    StartManually,
    Submit,
    TimerDue,
    WaitUntil,
)
from services.activity.domain.sub_case_effects import end_sub_case, know_sub_case
from services.activity.domain.sub_case_guards import started_whole
from services.activity.domain.sub_case_steps import EditShared, EndSubCase, OpenSubCase, StartSubCase
from services.activity.domain.transitions import Transition
from services.activity.domain.vocabulary import Method, Reason
from services.activity.domain.work_steps import GiveFeedback, KeepWithMe, SetDueDate, TakeNext

NEW, DRAFT, TO_DO = State.NEW, State.DRAFT, State.TO_DO
IN_PROGRESS, RESOLVED, CLOSED = State.IN_PROGRESS, State.RESOLVED, State.CLOSED
WAIT_MORE_INFO, WAIT_UNTIL, WAIT_PAUSE = State.WAIT_MORE_INFO, State.WAIT_UNTIL, State.WAIT_PAUSE
ACTIVE = (TO_DO, IN_PROGRESS)
UNDER_WAY = (*ACTIVE, *CASE_WAITING)
OPEN = (DRAFT, *UNDER_WAY, RESOLVED)
WAITING_OTHERWISE = (WAIT_MORE_INFO, WAIT_UNTIL)

HANDED_ON = (continue_thread, carry_departures, bring_files)  # by what it continues

# fmt: off
CASE: tuple[Transition[Any], ...] = (
    # It begins
    Transition("C1", NEW, StartManually, to=DRAFT, guards=(startable,),
               checks=(with_a_flow, known_category, opened_with_due_date),
               effects=(open_it, copy_communications, bring_files), person=the_user),
    Transition("C2", NEW, MailRouted, to=TO_DO, checks=(with_a_flow,),
               effects=(open_it, *HANDED_ON, acknowledge_sender)),
    Transition("C2", NEW, CreatedByIntegration, to=TO_DO,
               checks=(with_a_flow, known_category, created_whole, opened_with_due_date),
               effects=(open_it, copy_communications, bring_files, acknowledge)),
    Transition("C2", NEW, ConvertedFrom, to=TO_DO, checks=(with_a_flow, created_whole),
               effects=(open_it, *HANDED_ON), person=the_user),
    Transition("C2", NEW, OpenSubCase, to=TO_DO,
               checks=(with_a_flow, known_category, started_whole, opened_with_due_date), effects=(open_it,)),
    Transition("C1", DRAFT, SendMail, when=nothing_written, person=the_same,
               effects=(request_reply, write_from_mail)),
    Transition("C3", DRAFT, Submit, to=TO_DO, guards=(described,), checks=(kept_by_a_person,),
               effects=(keep_if_said, acknowledge), person=the_keeper),
    Transition("C20", DRAFT, Complete, to=RESOLVED, when=feedback_window, guards=(described,),
               effects=(read_information,), reason=Reason.COMPLETED, method=Method.COMPLETE),
    Transition("C20", DRAFT, Complete, to=CLOSED, when=no_feedback_window, guards=(described,),
               effects=(read_information,), reason=Reason.COMPLETED, method=Method.COMPLETE),

    # Somebody has it
    Transition("C9", TO_DO, PickUp, to=IN_PROGRESS, when=needing_attention, guards=(taken_by_a_resource,),
               effects=(attend,), person=the_actor),
    Transition("C4", TO_DO, PickUp, to=IN_PROGRESS, guards=(taken_by_a_resource,), person=the_actor),
    Transition("C4", TO_DO, TakeNext, to=IN_PROGRESS, guards=(taken_by_a_resource, free_to_take),
               effects=(attend,), person=the_actor),
    Transition("C4", TO_DO, Edit, to=IN_PROGRESS, when=by_a_resource, guards=(by_a_person_if_marked,),
               checks=(known_category,), effects=(edit, attend), person=the_actor),
    Transition("C5", IN_PROGRESS, Assign, to=TO_DO, checks=(for_whom_it_is,), effects=(note_to_assignee,),
               person=the_assigned),
    Transition("C5", IN_PROGRESS, SetToDo, to=TO_DO, guards=(held_by_nobody_else,)),
    Transition("C4", (DRAFT, *UNDER_WAY), Edit, guards=(held_by_nobody_else,), checks=(known_category,),
               effects=(edit,), person=the_same),
    Transition("SL-1", (DRAFT, *UNDER_WAY), SetDueDate, guards=(held_by_nobody_else, due_date_can_be_set),
               checks=(due_date_given,), effects=(set_due_date,), person=the_same),
    Transition("ST-20", OPEN, KeepWithMe, guards=(had_by_the_actor,), effects=(keep,), person=the_same),
    Transition("ST-21", (DRAFT, TO_DO), Assign, checks=(for_whom_it_is,), effects=(note_to_assignee,),
               person=the_assigned),
    Transition("ST-23", IN_PROGRESS, PickUp, guards=(taken_by_a_resource,), checks=(take_over_confirmed,),
               person=the_actor),
    Transition("AMB-18", (*CASE_WAITING, RESOLVED), Assign, checks=(for_whom_it_is,),
               effects=(note_to_assignee,), person=the_assigned),

    # It runs through its steps
    Transition("A1", ACTIVE, EnterStep, effects=(enter_step,), person=the_same),
    Transition("C10", ACTIVE, LaunchByHand, when=needing_attention, checks=(launched_by_hand,),
               effects=(launch,), person=the_same),
    Transition("CA-6", ACTIVE, LaunchByHand, checks=(launched_by_hand,), effects=(launch,), person=the_same),
    Transition("C6", (*UNDER_WAY, RESOLVED), EndAction, to=TO_DO, when=failed,
               effects=(end_action, ask_for_attention), reason=Reason.ACTIONS_NOT_COMPLETED),
    Transition("A10", (*UNDER_WAY, RESOLVED), EndAction, effects=(end_action,), person=the_same),
    Transition("A23", (*UNDER_WAY, RESOLVED), TakeFields, effects=(edit,), person=the_same),
    Transition("C6", ACTIVE, LoseWay, to=TO_DO, effects=(tell_the_way_lost,), reason=Reason.FAILED),
    Transition("C7", TO_DO, Rework, to=IN_PROGRESS, when=needing_attention, guards=(by_a_person_if_marked,),
               checks=(from_where_it_was,), effects=(attend, begin_again), person=the_actor,
               reason=Reason.REWORK),
    Transition("C17", UNDER_WAY, Rework, to=IN_PROGRESS, guards=(held_by_nobody_else,),
               checks=(from_where_it_was,), effects=(begin_again,), person=the_actor, reason=Reason.REWORK),

    # Other Cases run under it, and share what it has
    Transition("CA-4", ACTIVE, StartSubCase, effects=(know_sub_case,), person=the_same),
    Transition("CA-4", (*UNDER_WAY, RESOLVED), EndSubCase, effects=(end_sub_case,), person=the_same),
    Transition("CA-7", UNDER_WAY, EditShared, effects=(edit,), person=the_same),

    # It waits
    Transition("C8", TO_DO, Pause, to=WAIT_PAUSE, when=needing_attention, guards=(by_a_person_if_marked,),
               effects=(attend, read_information)),
    Transition("C13", ACTIVE, Pause, to=WAIT_PAUSE, guards=(held_by_nobody_else,),
               effects=(attend, read_information)),
    Transition("C11", ACTIVE, WaitForAnswer, to=WAIT_MORE_INFO, guards=(held_by_nobody_else,),
               checks=(reason_given, known_wait_reason), effects=(attend, read_information)),
    Transition("C12", ACTIVE, WaitUntil, to=WAIT_UNTIL, guards=(held_by_nobody_else,),
               checks=(in_the_future, known_wait_reason, known_category), effects=(attend, read_information)),
    Transition("C14b", WAIT_MORE_INFO, AnswerAction, to=IN_PROGRESS, reason=Reason.NEW_INFORMATION_RECEIVED),
    # A Case that does not wait for information, too, has nothing to do with an answer to one of its Actions.
    Transition("A6", (*ACTIVE, WAIT_UNTIL, WAIT_PAUSE, RESOLVED), AnswerAction, person=the_same),
    Transition("C15", WAIT_UNTIL, TimerDue, to=TO_DO, reason=Reason.SCHEDULE_REACHED),
    Transition("C16", CASE_WAITING, Resume, to=TO_DO, when=resumes_to(ResumeTo.TO_DO),
               guards=(by_a_person_if_marked,)),
    Transition("C16", CASE_WAITING, Resume, to=IN_PROGRESS, when=resumes_to(ResumeTo.IN_PROGRESS),
               guards=(by_a_person_if_marked,), person=the_actor),
    Transition("ST-20", CASE_WAITING, WaitForAnswer, to=WAIT_MORE_INFO,
               checks=(reason_given, known_wait_reason), effects=(read_information,)),
    Transition("ST-20", CASE_WAITING, WaitUntil, to=WAIT_UNTIL,
               checks=(in_the_future, known_wait_reason, known_category), effects=(read_information,)),
    Transition("ST-20", WAITING_OTHERWISE, Pause, to=WAIT_PAUSE, effects=(read_information,)),

    # It is resolved, and comes back or is closed
    Transition("C18", ACTIVE, Finish, to=RESOLVED, when=feedback_window, effects=(read_information,),
               reason=Reason.ALL_ACTIONS_COMPLETED, method=Method.COMPLETE),
    Transition("C19", ACTIVE, Finish, to=CLOSED, when=no_feedback_window, effects=(read_information,),
               reason=Reason.ALL_ACTIONS_COMPLETED, method=Method.COMPLETE),
    Transition("C18", ACTIVE, Complete, to=RESOLVED, when=feedback_window,
               guards=(held_by_nobody_else, nothing_running), effects=(attend, read_information),
               reason=Reason.COMPLETED, method=Method.COMPLETE),
    Transition("C19", ACTIVE, Complete, to=CLOSED, when=no_feedback_window,
               guards=(held_by_nobody_else, nothing_running), effects=(attend, read_information),
               reason=Reason.COMPLETED, method=Method.COMPLETE),
    Transition("C21", RESOLVED, GiveFeedback, to=TO_DO, checks=(rated,),
               effects=(keep_feedback, flag_new_information), reason=Reason.FEEDBACK_RECEIVED),
    Transition("C21", RESOLVED, Reopen, to=TO_DO, guards=(by_a_person_if_marked,), effects=(keep_if_said,),
               person=the_owner_or_keeper, reason=Reason.REOPENED_BY_RESOURCE),
    Transition("C22", RESOLVED, TimerDue, to=CLOSED, reason=Reason.FEEDBACK_WINDOW_PASSED),
    Transition("C23", OPEN, Abandon, to=CLOSED, guards=(held_by_nobody_else,),
               effects=(attend, read_information), reason=Reason.CANCELLED, method=Method.CANCELLED),
    Transition("C17", OPEN, CloseWithCase, to=CLOSED, when=reworked, effects=(attend, read_information),
               reason=Reason.REWORK, method=Method.CANCELLED),
    Transition("AMB-51", OPEN, CloseWithCase, to=CLOSED, effects=(attend, read_information),
               reason=Reason.CANCELLED, method=Method.CANCELLED),

    # Others were merged into it (T33)
    Transition("T34", UNDER_WAY, TakeOver, person=the_same,
               effects=(point_to_source, continue_thread, carry_departures, carry_links, bring_files,
                        flag_thread)),

    # A mail comes in (section 6.3). C25, a mail for what is closed, is matching.py's.
    Transition("AMB-39", WAIT_MORE_INFO, MailArrived, when=leaves_asleep,
               effects=(append_mail, flag_new_information)),
    Transition("C14", WAIT_MORE_INFO, MailArrived, to=TO_DO, effects=(append_mail, flag_new_information),
               reason=Reason.NEW_INFORMATION_RECEIVED),
    Transition("C16b", (WAIT_UNTIL, WAIT_PAUSE), MailArrived, effects=(append_mail, flag_new_information)),
    Transition("C21", RESOLVED, MailArrived, to=TO_DO, effects=(append_mail, flag_new_information),
               reason=Reason.NEW_INFORMATION_RECEIVED),
    Transition("C24", (DRAFT, *ACTIVE), MailArrived, effects=(append_mail, flag_new_information)),

    # Whatever its status
    *communicating(OPEN),
    *carrying(OPEN),
    Transition("FB-1", UNDER_WAY, GiveFeedback, checks=(rated,),
               effects=(keep_feedback, flag_new_information), person=the_same),
    Transition("FB-1", CLOSED, GiveFeedback, checks=(rated,), effects=(keep_feedback,), person=the_same),
)
# fmt: on
