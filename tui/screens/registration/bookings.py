"""The numbers that wait for today, from home and from the rooms, their check-in, and who did not come."""

from __future__ import annotations

from textual import on, work

from core.foundation.codes import AppointmentOrigin, AppointmentStatus
from core.schemas.patients import BookingOut
from tui import keymap, theme
from tui.screens.item_list import ItemList
from tui.screens.registration.registration_form import RegistrationScreen
from tui.terminal.keyboard import hold_keys
from tui.text.formatting import age_text, date_text, fit, sex_letter, time_text
from tui.text.translation import N_, _, ngettext
from tui.widgets import PickList
from tui.widgets.painting import Line

STATES = {
    AppointmentStatus.BOOKED: N_("awaited"),
    AppointmentStatus.FULFILLED: N_("has come"),
    AppointmentStatus.CANCELLED: N_("cancelled"),
    AppointmentStatus.NO_SHOW: N_("did not come"),
}


class BookingsScreen(ItemList[BookingOut]):
    """Lists today's numbers from home and return dates; one key leads to the confirmation of the registration."""

    TITLE_TEXT = N_("Awaited today")
    HELP_TEXT = N_(
        "Numbers that were taken from home with Mobile JKN for today, and return dates that a room gave, those still "
        "awaited first. Enter registers whoever has come, with the number, cluster and complaint that were given, and "
        "leads straight to the confirmation; Esc from there leads to the form. Who cancelled is listed at the end."
    )
    BINDINGS = [keymap.CHECK_IN, keymap.EDIT, keymap.REFRESH, keymap.BACK]

    @work(exclusive=True, group="read", exit_on_error=False)
    async def read(self, note: str = "", kind: str = "info") -> None:
        """Read the list, and say how many are awaited."""
        with self.saying_refusals():
            found = await self.session.client.registrations.booked()
            self._items = {booking.id: booking for booking in found}
            self._show()
            awaited = sum(booking.status is AppointmentStatus.BOOKED for booking in found)
            count = ngettext("{number} patient awaited", "{number} patients awaited", awaited)
            self.say(f"{note} {count.format(number=awaited)}.".strip(), kind)

    def _row(self, item: BookingOut) -> Line:
        patient = item.patient
        age = age_text(patient.birth_date, self.session.clinic.today)
        is_awaited = item.status is AppointmentStatus.BOOKED
        kind = _("return") if item.origin is AppointmentOrigin.ROOM else ""
        state = (item.hours or kind or _(STATES[item.status])) if is_awaited else _(STATES[item.status])
        return [
            (f"{fit(item.number, 6)} ", theme.STRONG if is_awaited else theme.PLAIN),
            (f"{fit(patient.name, 24)} ", theme.STRONG if is_awaited else theme.PLAIN),
            (f"{sex_letter(patient.sex)} {fit(age, 6)} ", theme.PLAIN),
            (f"{fit(state, 11)} ", theme.GOOD if item.status is AppointmentStatus.FULFILLED else theme.PLAIN),
            (item.end_reason or item.chief_complaint or "-", theme.PLAIN),
        ]

    @on(PickList.Picked)
    def action_check_in(self) -> None:
        """Register the chosen patient, with the number taken from home."""
        booking = self._chosen
        if booking is None:
            return
        if booking.status is not AppointmentStatus.BOOKED:
            taken = time_text(booking.booked_at, self.session.clinic.timezone)
            self.say(
                _("{number} ({state}), taken at {time}: F2 at the search registers anew.").format(
                    number=booking.number, state=_(STATES[booking.status]), time=taken
                ),
                "warning",
            )
            return
        self.check_in(booking)

    @work(exclusive=True, group="open", exit_on_error=False)
    async def check_in(self, booking: BookingOut) -> None:
        """Open the visit with the present data, at its confirmation."""
        with self.saying_refusals(), hold_keys(self.app):
            patient = await self.session.client.patients.get(booking.patient.id)
            self.session.last_patient_id = patient.id
            values = {"chief_complaint": booking.chief_complaint, "cluster": booking.cluster}
            form = RegistrationScreen(self.session, patient, values, confirms=True)
            self.app.push_screen(form, self._came_back)

    def _came_back(self, note: tuple[str, str] | None) -> None:
        self.call_after_refresh(self.read, *(note or ()))

    def action_edit_patient(self) -> None:
        """Correct the chosen patient's card."""
        from tui.screens.patients.edit import EditScreen

        if (booking := self._chosen) is not None:
            self.app.push_screen(EditScreen(self.session, booking.patient), self._corrected)

    def _corrected(self, note: object) -> None:
        if note is not None:
            self.call_after_refresh(self.read, str(getattr(note, "text", "")), "good")


class MissedScreen(ItemList[BookingOut]):
    """Lists the return dates of late at which nobody came."""

    TITLE_TEXT = N_("Did not come back")
    HELP_TEXT = N_(
        "Return dates of the last thirty days at which nobody came, and whose patients were not here since, the newest "
        "first, with the telephone of the card. F9 corrects the card. Who comes after all is registered at the search, "
        "and leaves the list."
    )
    BINDINGS = [keymap.EDIT, keymap.REFRESH, keymap.BACK]

    @work(exclusive=True, group="read", exit_on_error=False)
    async def read(self) -> None:
        """Read the list, and say how many there are."""
        with self.saying_refusals():
            found = await self.session.client.registrations.missed()
            self._items = {booking.id: booking for booking in found}
            self._show()
            count = ngettext(
                "{number} patient did not come back.", "{number} patients did not come back.", len(found)
            )
            self.say(count.format(number=len(found)))

    def _row(self, item: BookingOut) -> Line:
        patient = item.patient
        age = age_text(patient.birth_date, self.session.clinic.today)
        return [
            (f"{date_text(item.service_on)} ", theme.PLAIN),
            (f"{fit(patient.name, 22)} ", theme.STRONG),
            (f"{sex_letter(patient.sex)} {fit(age, 6)} ", theme.PLAIN),
            (f"{fit(item.phone or patient.phone or '-', 14)} ", theme.PLAIN),
            (f"{item.cluster} {item.chief_complaint}", theme.PLAIN),
        ]

    def action_edit_patient(self) -> None:
        """Correct the chosen patient's card."""
        from tui.screens.patients.edit import EditScreen

        if (booking := self._chosen) is not None:
            self.app.push_screen(EditScreen(self.session, booking.patient), self._corrected)

    def _corrected(self, note: object) -> None:
        if note is not None:
            self.call_after_refresh(self.read)
