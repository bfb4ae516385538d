//! Arabic, written from right to left.

mod sentences;

use super::Strings;

pub(super) const STRINGS: Strings = Strings {
    sign_in_to: "تسجيل الدخول إلى {}",
    error_title: "خطأ:",
    email: "عنوان البريد الإلكتروني",
    single_sign_on_next: "بعد ذلك تُفتح صفحة تسجيل الدخول الخاصة بمؤسستك.",
    carry_on: "متابعة",
    or: "أو",
    continue_with: "المتابعة باستخدام {}",
    email_empty: "أدخل عنوان بريدك الإلكتروني.",
    email_malformed: "أدخل عنوان بريد إلكتروني كاملًا، مثل name@example.com.",
    email_no_way: "لا يمكن استخدام هذا العنوان لتسجيل الدخول هنا. تحقق من كتابته، أو اسأل المسؤول لديك عن العنوان المناسب.",
    taking_you_to: "جارٍ نقلك إلى {}",
    on_the_way_next: "إذا لم يحدث شيء، فاختر «متابعة».",
    could_not_sign_in_to: "لم يتم تسجيل دخولك إلى {}",
    could_not_sign_in: "لم يتم تسجيل دخولك",
    start_again: "البدء من جديد",
    back_to: "العودة إلى {}",
    send_to_administrator: "إرسال هذا إلى المسؤول لديك",
    for_administrator: "للمسؤول لديك",
    code: "الرمز",
    reference: "المرجع",
    mail_subject: "مشكلة في تسجيل الدخول {}",
    mail_opening_application: "تعذر عليّ تسجيل الدخول إلى {}.",
    mail_opening: "تعذر عليّ تسجيل الدخول.",
    mail_closing: "سجل هذه المحاولة كاملًا محفوظ تحت المرجع {}.",
    copy: "نسخ",
    copied: "تم النسخ",
    signed_out: "تم تسجيل الخروج",
    signed_out_of: "تم تسجيل خروجك من {}.",
    signed_out_of_application: "تم تسجيل خروجك من التطبيق.",
    signed_out_of_provider: "تم أيضًا تسجيل خروجك لدى {}.",
    still_signed_in_at: "قد لا تزال مسجل الدخول لدى {} وفي تطبيقات أخرى.",
    still_signed_in: "قد لا تزال مسجل الدخول لدى موفر الهوية وفي تطبيقات أخرى.",
    still_signed_in_elsewhere: "قد لا تزال مسجل الدخول في تطبيقات أخرى.",
    shared_computer: "على جهاز مشترك، أغلق جميع نوافذ المتصفح.",
    sentences: sentences::SENTENCES,
};
