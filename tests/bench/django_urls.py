"""Django's admin on the program's own tables: models, screen and addresses of the peer in lists.py."""

from __future__ import annotations

from django.contrib import admin
from django.db import models
from django.urls import path


class Unit(models.Model):
    code = models.CharField(max_length=40)

    class Meta:
        managed = False
        db_table = "unit"
        app_label = "django_urls"

    def __str__(self) -> str:
        return self.code


class Owner(models.Model):
    name = models.CharField(max_length=120)
    pinyin_initials = models.CharField(max_length=60)

    class Meta:
        managed = False
        db_table = "owner"
        app_label = "django_urls"

    def __str__(self) -> str:
        return self.name


class Invoice(models.Model):  # noqa: DJ008 -- nothing shows it by name
    number = models.CharField(max_length=30)
    unit = models.ForeignKey(Unit, models.DO_NOTHING)
    payer = models.ForeignKey(Owner, models.DO_NOTHING)
    period = models.CharField(max_length=7)
    issued_on = models.DateField()
    due_on = models.DateField()
    amount = models.BigIntegerField()
    paid = models.BigIntegerField()
    balance = models.BigIntegerField()
    state = models.CharField(
        max_length=12, choices=[(code, code) for code in ("open", "partly_paid", "paid", "credited")]
    )
    stage = models.CharField(max_length=30)

    class Meta:
        managed = False
        db_table = "invoice"
        app_label = "django_urls"


class Area(models.Model):
    name = models.CharField(max_length=120)
    position = models.IntegerField()

    class Meta:
        managed = False
        db_table = "area"
        app_label = "django_urls"

    def __str__(self) -> str:
        return self.name


class InvoiceAdmin(admin.ModelAdmin):
    list_display = (
        "number",
        "unit",
        "payer",
        "period",
        "issued_on",
        "due_on",
        "amount",
        "paid",
        "balance",
        "state",
        "stage",
    )
    list_filter = ("state", "due_on")
    list_select_related = ("unit", "payer")
    list_per_page = 50
    ordering = ("-issued_on", "-id")
    search_fields = ("number", "unit__code", "payer__name", "payer__pinyin_initials")
    raw_id_fields = ("unit", "payer")
    show_full_result_count = False

    def lookup_allowed(self, lookup: str, value: str, request: object = None) -> bool:
        return True


admin.site.register(Invoice, InvoiceAdmin)
admin.site.register(Area)
urlpatterns = [path("admin/", admin.site.urls)]
