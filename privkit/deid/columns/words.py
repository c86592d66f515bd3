"""Words that stand in columns' names, by what they say; English, and the common ones of other languages."""

from __future__ import annotations

from privkit.deid.columns.values import vocabulary

NEUTRAL = vocabulary(
    "number numbers no nr num nbr numero número nummer nro value values val text txt str string raw original main "
    "primary secondary alternate alternative alt other home work office private business personal mobile cell "
    "current previous prev old new line lines full complete display field col column fld entry data info details a "
    "b c x the 1 2 3 4 5 6 7 8 9 casa trabajo privat geschäftlich principal contact emergency"
)
# A column named so counts, flags or classifies the thing; it is not the thing.
ABOUT = vocabulary(
    "count counts cnt total totals sum avg mean average median min max rate ratio percent pct percentage share flag "
    "flags is has had was are were should can sent opt optin optout in out tax verified verify valid validated "
    "validity invalid missing status model models type types typ kind kinds category categories categoria kategorie "
    "score scores rank ranking level size length len width height weight price cost costs amount balance budget "
    "bill billing fee fees salary plan plans provider providers carrier brand version format lang language locale "
    "currency enabled disabled preference preferences preferred consent subscribed subscription bounced bounce "
    "opened clicks clicked confirmed confirmation allowed quality quantity qty change changed changes order orders "
    "duration minutes hours seconds ms population density area code3 hash digest checksum template subject domain "
    "similarity distance match matched matches missingness present provided exists available availability method "
    "mode class classes source tier limit limits capacity usage storage screen os vendor manufacturer age_group "
    "index idx grp"
)
PERSONS = vocabulary(
    "emp pat patient patients cust person people subject participant respondent proband individual "
    "member doctor dr physician "
    "attending surgeon nurse clinician practitioner therapist dentist pharmacist midwife radiologist referring "
    "prescriber guardian author authors employee employees staff manager supervisor owner applicant candidate "
    "customer customers client clients user users buyer seller contact beneficiary tenant landlord signer signatory "
    "reviewer assignee reporter teacher student students pupil parent mother father spouse wife husband kin child "
    "sibling partner emergency lawyer attorney judge witness defendant plaintiff recipient sender passenger guest "
    "driver cardholder accountholder holder policyholder insured subscriber caller agent representative rep "
    "salesperson salesrep borrower donor volunteer resident consultant researcher investigator editor writer "
    "creator operator coach player payer payee shopper visitor traveler traveller paciente pacientes médico medico "
    "doctora cliente clientes empleado usuario persona alumno autor patienten arzt ärztin kunde kunden mitarbeiter "
    "benutzer mitglied schüler lehrer auteur médecin medecin salarié utilisateur élève eleve utente dipendente "
    "paziente dottore patiënt klant medewerker arts pacjent lekarz klient pracownik"
)
NAME_WORDS = vocabulary(
    "name names nom noms nombre nombres nome nomi naam namen namn navn nimi nazwa imie imię jmeno jméno isim ad adı "
    "имя фио 姓名 氏名 名前 名字 이름 성명 اسم الاسم όνομα שם नाम ชื่อ"
)
OF_A_NAME = vocabulary(
    "first last full given family middle maiden birth legal preferred nick fore sur christian second third pet mid "
    "prénom completo completa propio pila apellido vor nach familien rufname geburts voller complet famille jeune "
    "volledige"
)
NAMES = vocabulary(
    "surname surnames lastname lname firstname fname forename givenname familyname fullname maidenname middlename "
    "mname nickname patientname doctorname customername initials prenom prenoms prénom apellido apellidos nachname "
    "vorname familienname geburtsname rufname cognome sobrenome apelido achternaam voornaam efternamn förnamn "
    "fornamn etternavn fornavn efternavn nazwisko prijmeni příjmení sukunimi etunimi soyad soyadı фамилия отчество "
    "прізвище 姓 氏 성 επώνυμο kin signature signatory signed"
)
NO_PERSONS_NAME = vocabulary(
    "product item file filename table column field brand company organization organisation org firm business "
    "employer hospital clinic facility school university department dept ward unit team group drug medication "
    "medicine ingredient test exam event project campaign plan category type status service model device room "
    "building channel list tag label key host hostname server domain database db schema class function method "
    "variable metric feature course subject program programme game app application package module branch repo "
    "repository image font color colour size shape material animal species breed dog cat pet plant tree recipe dish "
    "menu restaurant hotel store shop warehouse supplier vendor manufacturer publisher bank fund stock currency "
    "language sport club league band song album movie film book title job role position process step stage task "
    "rule template theme policy party disease diagnosis condition procedure treatment allergy vaccine gene protein "
    "sample specimen dataset experiment study trial cohort site sensor machine engine vehicle car ship vessel train "
    "route line station stop port node cluster queue topic bucket folder path directory session token attribute "
    "property parameter param option code produkt firma artikel abteilung datei producto empresa archivo "
    "departamento produit entreprise fichier month day weekday season holiday period quarter icd cpt snomed loinc "
    "atc scientific common generic trade"
)
EMAILS = vocabulary(
    "email emails mail mails correo courriel epost mailadresse emailaddress emailadresse mailbox електронна email1 "
    "email2 почта 邮箱 メール"
)
PHONES = vocabulary(
    "phone phones telephone telephones tel tele mobile cell cellphone mobilephone fax telefax telefon telefono "
    "teléfono telefone telefoon téléphone handy movil móvil celular mobil mobiltelefon portable gsm whatsapp pager "
    "landline rufnummer telefonnummer handynummer mobilnummer faxnummer phonenumber telephonenumber phoneno puhelin "
    "телефон 电话 電話 手机 전화 هاتف τηλέφωνο"
)
STREETS = vocabulary(
    "address addresses addr street streets strasse straße adresse adressen anschrift direccion dirección domicilio "
    "calle rue indirizzo via endereco endereço rua adres straat adress gata ulica adresa hausnummer apartment apt "
    "suite housenumber streetaddress postaladdress homeaddress адрес 住所 地址 주소 عنوان διεύθυνση pobox"
)
PLACES = vocabulary(
    "city cities town village municipality suburb borough county place hometown birthplace residence location "
    "neighborhood neighbourhood district region locality ciudad pueblo municipio lugar localidad ville commune lieu "
    "stadt ort wohnort geburtsort gemeinde landkreis kreis città citta comune cidade plaats stad gemeente "
    "woonplaats kommune by miasto město город 城市 市 市町村 도시 مدينة πόλη precinct parish"
)
COARSE = vocabulary(
    "state states country countries province provinces prefecture continent nation nationality citizenship "
    "statecode countrycode bundesland land staat pais país provincia estado pays "
    "paese stato kraj страна 国家 国 都道府県 "
    "나라 regione"
)
POSTCODES = vocabulary(
    "zip zipcode zipcodes zip5 zip4 plz postcode postcodes postalcode postal postleitzahl codigopostal cp cap cep "
    "pincode postnummer postinumero индекс 邮编 郵便番号 우편번호"
)
BIRTHS = vocabulary(
    "birth dob born birthdate birthday birthdates dateofbirth bday birthyear yearofbirth yob geburtsdatum "
    "geburtstag geboren geburtsjahr geburt nacimiento fechanacimiento naissance naissances nascita nascimento "
    "geb gbdat gebdat gebdatum geburtsdat naiss nac nacim nasc ddn fnac fechanac datenaissance "
    "geboortedatum geboorte födelsedatum fodselsdato urodzenia doğum рождения 生年月日 出生日期 생년월일"
)
DATES = vocabulary(
    "date dates datum fecha data dt day timestamp ts datetime time at on when since until dod admission discharge "
    "created updated modified dato"
)
COORDINATES = vocabulary(
    "lat lon lng long latitude longitude latlon latlng latlong geo gps coordinates coordinate coord coords "
    "geolocation geopoint breitengrad längengrad latitud longitud"
)
TEXTS = vocabulary(
    "note notes comment comments remark remarks narrative freetext free_text memo message messages msg body "
    "transcript transcription conversation chat letter impression findings clinical_notes commentary feedback "
    "review annotation annotations observation observations bemerkung bemerkungen kommentar kommentare notiz "
    "notizen anmerkung anmerkungen freitext nachricht befund arztbrief comentario comentarios nota notas "
    "observaciones mensaje remarque remarques commentaire commentaires compte osservazioni commenti opmerking "
    "opmerkingen uwagi комментарий примечание 备注 備考 コメント メモ bio biography essay abstract complaint soap hpi"
)
TEXTS_PERHAPS = vocabulary(
    "description descriptions desc text texts content contents summary summaries history reason reasons detail "
    "details story report reports explanation information answer answers question response responses query "
    "instructions title headline beschreibung grund descripcion descripción motivo resumen texte descrizione "
    "omschrijving caption log prompt completion"
)
ATTRIBUTES = vocabulary(
    "gender sex race ethnicity ethnic religion marital blood geschlecht sexo sexe sesso genere genre color colour "
    "month weekday year quarter season ward department dept diagnosis currency language occupation job profession "
    "education"
)
IDS = vocabulary(
    "nhc sid subjid usubjid id ids uuid guid identifier identifiers oid pid uid identificador "
    "identifiant kennung mrn mrns matricule dni "
    "nif nie cif cpf cnpj rut curp rfc aadhaar aadhar pesel bsn cpr egn oib amka personnummer hetu steuerid idnr "
    "svnr ahv aktenzeichen vin imei imsi meid iccid udid eid empi hicn mbi npi dea orcid codicefiscale kundennummer "
    "patientennummer mitgliedsnummer versicherungsnummer versichertennummer personalnummer fallnummer "
    "sozialversicherungsnummer steuernummer ausweisnummer kennzeichen nss nir siret employeeno patientno hospitalno "
    "accountno policyno memberno recordno 身份证 护照 마이넘버 ИНН СНИЛС инн снилс fingerprint fingerprints voiceprint "
    "faceprint retina biometric biometrics udi handle username usernames login logins userid screenname "
    "benutzername usuario_id tfn sin hkid nric fin pps ppsn cookie siren insz niss utr cnp nip piva tckn kvnr nuss "
    "burgerservicenummer rijksregisternummer steueridentifikationsnummer identifikationsnummer "
    "krankenversichertennummer krankenversicherungsnummer rentenversicherungsnummer personalausweisnummer "
    "reisepassnummer paspoortnummer fodselsnummer fødselsnummer cprnummer kennitala isikukood emso mykad"
)
NUMBERED = vocabulary(
    "account accounts acct member membership policy license licence licenses passport record records chart case "
    "claim claims insurance insured certificate cert plate plates serial device badge registration loyalty booking "
    "reservation medicare medicaid prescription rx specimen accession invoice order transaction ticket reference "
    "ref docket tracking fiscal tax taxpayer national identity identification ident social security health medical "
    "medrec hospital encounter visit episode enrollment enrolment subscriber beneficiary vehicle license_plate "
    "konto kunden patienten mitglieds versicherungs versicherung personal akten fall ausweis reisepass steuer "
    "sozialversicherungs pasaporte cuenta expediente poliza póliza licencia matricula matrícula passeport compte "
    "dossier carte photo photos portrait headshot selfie avatar credential wallet session"
)
WORTHLESS_IDS = vocabulary(
    "ward wards department dept unit category type status country region city state role group room location "
    "language currency plan campaign product item sku store shop warehouse supplier vendor brand model color colour "
    "size channel segment class tag label topic site facility hospital clinic school course subject team project "
    "branch office zone area district diagnosis procedure test drug medication icd cpt code schema event action "
    "error version level priority"
)
ID_ENDS = vocabulary(
    "id ids uuid guid identifier number numbers no nr num nbr numero número nummer nro code key kennung ref hash"
)
# Known words in which a shorter one hides, so that `lineage` is not split into `line` and `age`.
WHOLE = vocabulary(
    "lineage postage message image page usage storage package average voltage language dosage mileage coverage "
    "percentage stage wage damage triage village cottage grid android covid paid valid fluid acid candid solid "
    "hybrid rapid agent telemetry television telegram cellar cells statement station latest late platform plate "
    "latency emailed contactless nominal nomination username hostname filename rename renamed tournament mobility "
    "automobile cityscape placement replacement streetcar addressed telescope hotel datum database update updated "
    "candidate validated mandate"
)
AGES = vocabulary("age ages edad alter eta età idade leeftijd âge ålder wiek возраст 年齢 年龄 나이 العمر ageyears")
ORGANIZATIONS = vocabulary("employer workplace arbeitgeber empleador employeur werkgever datore")
