/** The parts of dcmjs that are used; the package has no types of its own. */
declare module 'dcmjs' {
  interface DicomDict {
    /** Data set: tag, eight hexadecimal digits in capitals, → element. */
    dict: object;
    write(options: { allowInvalidVRLength: boolean }): ArrayBuffer;
  }
  type DicomJson = Readonly<Record<string, { readonly vr: string; readonly Value: readonly unknown[] } | undefined>>;
  export const data: {
    /** Made from the file meta information (group 0002), whose Transfer Syntax UID decides how the rest is written. */
    DicomDict: new (meta: object) => DicomDict;
    DicomMessage: {
      readFile(file: ArrayBuffer): { readonly meta: DicomJson; readonly dict: DicomJson };
    };
    DicomMetaDictionary: {
      /** "(0010,0010)" → its entry in PS3.6. */
      dictionary: Readonly<Record<string, { readonly vr: string; readonly name: string } | undefined>>;
    };
  };
}
